// Where the newest edits of a document are, and who waits until they are on the server.
import type { Saved } from './document_types.js'

export interface SavedSources {
  /** Finds out where they are now. */
  where(): Saved
  /** Why nothing will be saved any more; null while something may. */
  ended(): Error | null
  /** It is news. */
  changed(saved: Saved): void
}

export class SavedWatch {
  readonly #sources: SavedSources
  readonly #waiting = new Set<() => void>()
  #saved: Saved = 'saved'

  constructor(sources: SavedSources) {
    this.#sources = sources
  }

  get saved(): Saved {
    return this.#saved
  }

  /** Something may have changed: finds out, and tells if it has. */
  look(): void {
    const saved = this.#sources.where()
    const news = saved !== this.#saved
    this.#saved = saved
    for (const look of [...this.#waiting]) look()
    if (news) this.#sources.changed(saved)
  }

  /** Returns once all is `saved`; rejects with why it never will be. */
  whenSaved(): Promise<void> {
    return new Promise((resolve, reject) => {
      const look = (): void => {
        const end = this.#sources.ended()
        if (this.#saved === 'saved') resolve()
        else if (end !== null) reject(end)
        else return
        this.#waiting.delete(look)
      }
      this.#waiting.add(look)
      look()
    })
  }
}
