// The named versions of a document: read from its part `meta`, changed by commands.
import { report } from '@shell/refusals'
import type * as Y from 'yjs'
import { newId } from '../comments/threads.svelte'
import type { OpenDocument } from '../document/open.svelte'
import { nameOf } from '../names'
import { t } from '../words'

export interface Version {
  readonly id: string
  readonly name: string
  /** Seconds since 1970. */
  readonly time: number
  /** Who named it. */
  readonly by: string
  readonly offset: number
}

function versionOf(id: string, value: unknown): Version {
  const given = (value instanceof Object && 'toJSON' in value ? (value as Y.Map<unknown>).toJSON() : value) as Record<string, unknown>
  const by = nameOf({ name: String(given['name_by'] ?? ''), guest: given['guest'] === true })
  return { id, name: String(given['name'] ?? ''), time: Number(given['time'] ?? 0), by, offset: Number(given['offset'] ?? 0) }
}

/** To be made where a component begins: it reads as long. */
export class Versions {
  list = $state.raw<readonly Version[]>([])
  readonly #open: OpenDocument

  constructor(open: OpenDocument) {
    this.#open = open
    $effect(() => {
      const map = open.meta?.doc.getMap('versions')
      if (map === undefined) return
      const read = (): void => {
        this.list = Array.from(map.entries(), ([id, value]) => versionOf(id, value))
      }
      map.observeDeep(read)
      read()
      return () => map.unobserveDeep(read)
    })
  }

  /** Each says what went wrong by itself, and returns whether it went well. `offset`: null names the newest state. */
  add(name: string, offset: number | null): Promise<boolean> {
    return this.#do('version.add', { id: newId(), name, ...(offset === null ? {} : { offset }) })
  }

  rename(id: string, name: string): Promise<boolean> {
    return this.#do('version.rename', { id, name })
  }

  delete(id: string): Promise<boolean> {
    return this.#do('version.delete', { id })
  }

  async #do(command: string, body: Record<string, string | number>): Promise<boolean> {
    try {
      await this.#open.command('meta', command, body)
      return true
    } catch (error) {
      report(error, t('history.nameFailed'))
      return false
    }
  }
}
