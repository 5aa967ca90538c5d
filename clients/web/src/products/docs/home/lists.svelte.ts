// The lists of documents and the tree of spaces, shared by home, sidebar and dialogs.
import * as docs from '../api'
import { t } from '../words'
import { keptHere, type KeptDocument } from '../offline'

/** What a list shows: a view, and for `space` which. */
export interface Shown {
  readonly view: docs.View
  readonly space?: string
}

const sameList = (one: Shown, other: Shown): boolean => one.view === other.view && one.space === other.space

class Lists {
  documents = $state.raw<readonly docs.Doc[]>([])
  status = $state<'loading' | 'there' | 'failed'>('loading')
  error = $state.raw<unknown>(null)
  isMore = $state(false)
  isLoadingMore = $state(false)
  spaces = $state.raw<readonly docs.Space[]>([])
  spacesStatus = $state<'loading' | 'there' | 'failed'>('loading')
  /** Documents with a copy on this device, by key. */
  kept = $state.raw<ReadonlyMap<string, KeptDocument>>(new Map())
  #shown: Shown = { view: 'recent' }
  #next: string | null = null
  #abort: AbortController | null = null
  #news: docs.Doc[] = []

  /** Fetches a list; what was shown of the same list stays until then. */
  async load(shown: Shown): Promise<void> {
    this.#abort?.abort()
    const abort = new AbortController()
    this.#abort = abort
    if (!sameList(shown, this.#shown) || this.status === 'failed') {
      this.documents = []
      this.status = 'loading'
    }
    this.#shown = shown
    this.#news = []
    void this.loadKept()
    try {
      const { documents, next } = await docs.listDocuments(shown.view, { ...(shown.space ? { space: shown.space } : {}), signal: abort.signal })
      this.documents = documents
      this.#next = next
      this.isMore = next !== null
      this.status = 'there'
      this.error = null
      // What was changed here while the list was on its way is newer than it.
      for (const document of this.#news.splice(0)) this.changed(document)
    } catch (error) {
      if (abort.signal.aborted) return
      this.error = error
      this.status = 'failed'
    }
  }

  /** The next page of the list. */
  async more(): Promise<void> {
    if (this.#next === null || this.isLoadingMore) return
    const shown = this.#shown
    this.isLoadingMore = true
    try {
      const { documents, next } = await docs.listDocuments(shown.view, { ...(shown.space ? { space: shown.space } : {}), after: this.#next })
      if (!sameList(shown, this.#shown)) return
      const known = new Set(this.documents.map(({ key }) => key))
      this.documents = [...this.documents, ...documents.filter(({ key }) => !known.has(key))]
      this.#next = next
      this.isMore = next !== null
    } finally {
      this.isLoadingMore = false
    }
  }

  async loadSpaces(): Promise<void> {
    try {
      this.spaces = await docs.listSpaces()
      this.spacesStatus = 'there'
    } catch {
      // The tree says so itself; the page beside it reports what it needs of the server.
      this.spacesStatus = this.spaces.length > 0 ? 'there' : 'failed'
    }
  }

  async loadKept(): Promise<void> {
    this.kept = new Map((await keptHere()).map((each) => [each.key, each]))
  }

  /** A document is as told now: lists that hold it, or should, follow. */
  changed(document: docs.Doc): void {
    this.#news = [...this.#news.filter(({ key }) => key !== document.key), document].slice(-20)
    const belongs = this.#belongs(document)
    const at = this.documents.findIndex(({ key }) => key === document.key)
    if (at === -1) {
      if (belongs) this.documents = [document, ...this.documents]
    } else if (belongs) this.documents = this.documents.with(at, document)
    else this.documents = this.documents.toSpliced(at, 1)
  }

  gone(key: string): void {
    this.documents = this.documents.filter((each) => each.key !== key)
  }

  /** A space's name, and those of the spaces that it is in. */
  path(id: string | null): string {
    const names: string[] = []
    const seen = new Set<string>()
    for (let at = id; at !== null && !seen.has(at); ) {
      seen.add(at)
      const space = this.spaces.find((each) => each.id === at)
      if (space === undefined) break
      names.unshift(space.name)
      at = space.parent
    }
    return names.join(' / ') || t('spaces.none')
  }

  #belongs(document: docs.Doc): boolean {
    const { view, space } = this.#shown
    if (view === 'bin') return document.deleted !== null
    if (document.deleted !== null) return false
    if (view === 'space') return document.space === space
    if (view === 'mine') return document.role === 'owner'
    if (view === 'shared') return document.role !== 'owner'
    return true
  }
}

export const lists = new Lists()
