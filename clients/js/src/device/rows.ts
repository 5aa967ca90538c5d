// A part's rows in the database: made, read with care, taken away.
import * as Y from 'yjs'
import type { Value } from '../wire/msgpack.js'
import { checksum, type CommandRow, type Database, type PartRow, type Transaction } from './database.js'
import type { QueuedCommand } from './kept.js'

export function fresh(name: string, life: number): PartRow {
  return { name, life, incarnation: 0, access: [], schema: 0, offset: 0, title: '', opened: 0, bytes: 0, dirty: {} }
}

export async function deleteUpdates(at: Transaction, name: string): Promise<void> {
  for (const [id] of await at.rows('updates', name)) await at.delete('updates', id)
}

export function asCommand({ id, command, body }: CommandRow): QueuedCommand {
  return { id, name: command, body: body as Value }
}

function isUpdate(update: Uint8Array): boolean {
  try {
    Y.encodeStateVectorFromUpdate(update)
    return true
  } catch {
    return false
  }
}

/** Return bytes with a buffer of their own: to clone a view is to clone all that it looks into. */
export function own(bytes: Uint8Array): Uint8Array {
  return bytes.byteLength === bytes.buffer.byteLength ? bytes : bytes.slice()
}

/** A part's updates that are as they were written, with their keys, and how many were not. */
export interface Sound {
  readonly updates: readonly (readonly [number, Uint8Array])[]
  readonly damaged: number
}

/** Sort out a part's updates: those that are damaged are put aside, where nothing deletes them. */
export async function soundUpdates(
  database: Database,
  name: string,
  rows: readonly (readonly [number, unknown])[],
): Promise<Sound> {
  const damaged: (readonly [number, unknown])[] = []
  const updates: (readonly [number, Uint8Array])[] = []
  for (const [id, value] of rows) {
    const { update, sum } = value as { update: unknown; sum: unknown }
    if (update instanceof Uint8Array && checksum(update) === sum && isUpdate(update)) updates.push([id, update])
    else damaged.push([id, value])
  }
  if (damaged.length > 0) {
    await database.run('readwrite', async (at) => {
      for (const [id, value] of damaged) {
        await at.add('rescues', { name, damaged: value })
        await at.delete('updates', id)
      }
    })
  }
  return { updates, damaged: damaged.length }
}
