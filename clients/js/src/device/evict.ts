// Makes room on this device: the copies that were used longest ago go first.
import type { Database } from './database.js'

/**
 * Delete copies until they take at most `bound` bytes; return whether any went. One that holds
 * something the server may lack never goes, nor the part that is being written.
 */
export async function evict(database: Database, bound: number, except: string): Promise<boolean> {
  return database.run('readwrite', async (at) => {
    const parts = await at.parts()
    let total = parts.reduce((sum, { bytes }) => sum + bytes, 0)
    let went = false
    for (const { name, bytes, dirty } of parts.sort((a, b) => a.opened - b.opened)) {
      if (total <= bound) break
      if (name === except || Object.keys(dirty).length > 0) continue
      if ((await at.rows('commands', name)).length > 0) continue
      for (const [id] of await at.rows('updates', name)) await at.delete('updates', id)
      await at.deletePart(name)
      total -= bytes
      went = true
    }
    return went
  })
}
