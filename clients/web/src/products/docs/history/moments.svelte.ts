// The moments of a document's past, newest first: fetched page by page.
import { report } from '@shell/refusals'
import { type Entry, listHistory } from '../api'
import type { OpenDocument } from '../document/open.svelte'
import { t } from '../words'

export class Moments {
  entries = $state.raw<readonly Entry[]>([])
  status = $state<'loading' | 'there' | 'failed'>('loading')
  problem = $state.raw<unknown>(null)
  isMore = $state(false)
  readonly #open: OpenDocument
  #next: string | null = null

  constructor(open: OpenDocument) {
    this.#open = open
  }

  /** Fetches the newest ones. */
  async load(): Promise<void> {
    this.status = 'loading'
    try {
      this.#take(await listHistory(this.#open.key, undefined, await this.#open.token()), [])
      this.status = 'there'
    } catch (error) {
      this.problem = error
      this.status = 'failed'
    }
  }

  /** Fetches those before. */
  async more(): Promise<void> {
    if (this.#next === null) return
    try {
      this.#take(await listHistory(this.#open.key, this.#next, await this.#open.token()), this.entries)
    } catch (error) {
      report(error, t('history.failed'))
    }
  }

  #take({ entries, next }: { readonly entries: readonly Entry[]; readonly next: string | null }, before: readonly Entry[]): void {
    this.entries = [...before, ...entries]
    this.#next = next
    this.isMore = next !== null
  }
}
