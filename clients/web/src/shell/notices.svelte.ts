// What the reader should know of: fetched, told live, marked as read.
import { language } from '@i18n'
import { account } from './account.svelte'
import { api } from './api'
import { live } from './live.svelte'

interface Words {
  readonly subject: string
  readonly text: string
}

export interface Notice {
  readonly id: string
  readonly kind: string
  readonly words: Readonly<Record<string, Words>>
  /** Where it leads. */
  readonly path: string
  readonly actor: { readonly id: string; readonly name: string; readonly color: string } | null
  readonly time: number
  readonly read: boolean
}

interface Page {
  readonly notices: readonly Notice[]
  readonly unread: number
  readonly next: string | null
}

const LIMIT = 20

class Notices {
  list = $state.raw<readonly Notice[]>([])
  unread = $state(0)
  next = $state<string | null>(null)
  isLoaded = $state(false)
  /** Why the list could not be fetched; null if it could. */
  failed = $state.raw<unknown>(null)

  #loading: Promise<void> | null = null
  /** What is known, or on its way, is not the newest. */
  #isStale = false

  constructor() {
    // What happened while there was no line, or before there was one, was told to nobody here.
    live.onOpen(() => {
      if (this.isLoaded || this.failed !== null || this.#loading !== null) void this.load()
    })
    live.onSignal(({ name, body }) => {
      if (name === 'notice') this.#add(body as unknown as Notice)
      else if (name === 'notices_read') void this.load()
    })
    account.onLeave(() => {
      this.list = []
      this.unread = 0
      this.isLoaded = false
      this.failed = null
      return Promise.resolve()
    })
  }

  /** Fetches the newest. What goes wrong is in `failed`. */
  load(): Promise<void> {
    this.#isStale = true
    this.#loading ??= this.#load().finally(() => (this.#loading = null))
    return this.#loading
  }

  async #load(): Promise<void> {
    const reader = account.user?.id
    while (this.#isStale) {
      this.#isStale = false
      try {
        const page = await api.get<Page>('notices', { limit: LIMIT })
        if (account.user?.id !== reader) return
        // An answer may be older than what was told while it was on its way: then it is asked again.
        if (!this.#isStale) this.#take(page, [])
      } catch (error) {
        this.failed = error
      }
    }
  }

  /** Fetches older ones. Throws `Refusal`. */
  async more(): Promise<void> {
    if (this.next) this.#take(await api.get<Page>('notices', { limit: LIMIT, after: this.next }), this.list)
  }

  /** Marks `ids` as read, or all. Throws `Refusal`; then they are unread again. */
  async read(ids?: readonly string[]): Promise<void> {
    const before = this.list
    const isRead = (notice: Notice) => ids === undefined || ids.includes(notice.id)
    this.list = before.map((notice) => (isRead(notice) ? { ...notice, read: true } : notice))
    try {
      const { unread } = await api.post<{ unread: number }>('notices/read', ids === undefined ? {} : { ids })
      this.unread = unread
    } catch (error) {
      this.list = before
      throw error
    }
  }

  #take(page: Page, before: readonly Notice[]): void {
    this.list = [...before, ...page.notices]
    this.unread = page.unread
    this.next = page.next
    this.isLoaded = true
    this.failed = null
  }

  #add(notice: Notice): void {
    if (this.#loading !== null) this.#isStale = true
    if (this.list.some(({ id }) => id === notice.id)) return
    this.list = [notice, ...this.list]
    if (!notice.read) this.unread += 1
  }
}

/** What a notice says, in the present language, else in English. */
export function said(notice: Notice): Words {
  return notice.words[language()] ?? notice.words['en'] ?? { subject: '', text: '' }
}

export const notices = new Notices()
