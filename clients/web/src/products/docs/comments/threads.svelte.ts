// The comments of an open document: read from the room, changed by commands that may wait for a connection.
import type { DocumentPart } from '@parvis/client'
import type * as Y from 'yjs'
import type { OpenDocument } from '../document/open.svelte'
import type { Anchor, CommentPlace } from '../editor/types'

/** A piece of a comment: words, or somebody who is mentioned. */
export type BodyPart = string | { readonly mention: string; readonly label: string }
export type Body = readonly BodyPart[]

export interface Message {
  readonly id: string
  readonly thread: string
  readonly by: string
  readonly name: string
  readonly color: string
  /** By somebody without an account, who chose this name. */
  readonly guest: boolean
  readonly body: Body
  /** Seconds since 1970, as `edited`. */
  readonly time: number
  readonly edited: number | null
  /** Made here, and not on the server yet. */
  readonly waiting: boolean
}

export interface Thread {
  readonly id: string
  readonly anchor: Anchor
  readonly by: string
  readonly name: string
  readonly color: string
  readonly guest: boolean
  readonly created: number
  readonly resolved: number | null
  readonly resolvedBy: { readonly name: string; readonly guest: boolean }
  readonly messages: readonly Message[]
  readonly waiting: boolean
}

export type Filter = 'open' | 'resolved' | 'mine' | 'all'

const ALPHABET = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz'

/** 16 random characters: nobody else makes the same. */
export function newId(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16))
  return Array.from(bytes, (byte) => ALPHABET[byte % ALPHABET.length]).join('')
}

const text = (value: unknown): string => (typeof value === 'string' ? value : '')
const number = (value: unknown): number | null => (typeof value === 'number' ? value : null)

/** What others wrote is read with care: the server checks it, a broken client may not have. */
function bodyOf(value: unknown): Body {
  if (!Array.isArray(value)) return []
  return value.flatMap((part: unknown): BodyPart[] => {
    if (typeof part === 'string') return [part]
    const { mention, label } = (part ?? {}) as { mention?: unknown; label?: unknown }
    return typeof mention === 'string' && typeof label === 'string' ? [{ mention, label }] : []
  })
}

function anchorOf(map: Y.Map<unknown>): Anchor {
  const a = map.get('a') as { start?: unknown; end?: unknown } | null | undefined
  const quote = (map.get('quote') ?? {}) as { text?: unknown; prefix?: unknown; suffix?: unknown }
  const block = map.get('block')
  return {
    a: typeof a?.start === 'string' && typeof a.end === 'string' ? { start: a.start, end: a.end } : null,
    quote: { text: text(quote.text), prefix: text(quote.prefix), suffix: text(quote.suffix) },
    block: typeof block === 'string' ? block : null,
  }
}

/** Changes made here that the server has not answered yet, shown as if they had happened. */
type Pending =
  | { readonly kind: 'add'; readonly thread: string; readonly message: string; readonly anchor: Anchor | null; readonly body: Body; readonly time: number }
  | { readonly kind: 'edit'; readonly message: string; readonly body: Body }
  | { readonly kind: 'delete'; readonly message: string }
  | { readonly kind: 'resolve' | 'reopen'; readonly thread: string; readonly time: number }

export class Comments {
  threads = $state.raw<readonly Thread[]>([])
  /** Where each thread's words are: told by the editor. */
  places = $state.raw<ReadonlyMap<string, CommentPlace>>(new Map())
  active = $state<string | null>(null)
  /** What a new comment is to be about, while it is written. */
  draft = $state.raw<Anchor | null>(null)
  filter = $state<Filter>('open')
  readonly #open: OpenDocument
  readonly #pending = new Map<string, Pending>()
  #off: (() => void) | null = null

  constructor(open: OpenDocument) {
    this.#open = open
  }

  /** Threads with something to answer. */
  readonly unresolved = $derived(this.threads.filter(({ resolved }) => resolved === null))

  /** Those shown under the filter, in the order of the text; orphans last. */
  readonly shown = $derived.by(() => {
    const me = this.#open.self.id
    const fits = (thread: Thread): boolean =>
      this.filter === 'all' ||
      (this.filter === 'open' && thread.resolved === null) ||
      (this.filter === 'resolved' && thread.resolved !== null) ||
      (this.filter === 'mine' && thread.messages.some(({ by, body }) => by === me || body.some((part) => typeof part !== 'string' && part.mention === me)))
    const at = (thread: Thread): number => this.places.get(thread.id)?.from ?? Infinity
    return this.threads.filter(fits).sort((a, b) => at(a) - at(b) || a.created - b.created)
  })

  /** Begins to read a part. */
  watch(part: DocumentPart): void {
    this.#off?.()
    const read = (): void => this.#read()
    let maps: Y.Map<unknown>[] = []
    const bind = (): void => {
      for (const map of maps) map.unobserveDeep(read)
      maps = [part.doc.getMap('threads'), part.doc.getMap('messages')]
      for (const map of maps) map.observeDeep(read)
      read()
    }
    bind()
    const offs = [part.on('reset', bind)]
    this.#off = () => {
      for (const off of offs) off()
      for (const map of maps) map.unobserveDeep(read)
    }
    void part.loaded.then(read)
  }

  destroy(): void {
    this.#off?.()
    this.#off = null
  }

  isOrphan(thread: Thread): boolean {
    return this.places.get(thread.id)?.state === 'lost'
  }

  /** Each does it here at once and says so to the server; rejects if that says no, and nothing stays. */
  async add(anchor: Anchor, body: Body): Promise<string> {
    const [thread, message] = [newId(), newId()]
    const time = Date.now() / 1000
    this.active = thread
    await this.#send(message, { kind: 'add', thread, message, anchor, body, time }, 'comment.add', { thread, message, anchor, body })
    return thread
  }

  async reply(thread: string, body: Body): Promise<void> {
    const message = newId()
    await this.#send(message, { kind: 'add', thread, message, anchor: null, body, time: Date.now() / 1000 }, 'comment.reply', { thread, message, body })
  }

  async edit(message: string, body: Body): Promise<void> {
    await this.#send(`edit ${message}`, { kind: 'edit', message, body }, 'comment.edit', { message, body })
  }

  async delete(message: string): Promise<void> {
    await this.#send(`delete ${message}`, { kind: 'delete', message }, 'comment.delete', { message })
  }

  async resolve(thread: string, isResolved: boolean): Promise<void> {
    const kind = isResolved ? 'resolve' : 'reopen'
    await this.#send(`resolve ${thread}`, { kind, thread, time: Date.now() / 1000 }, `comment.${kind}`, { thread })
  }

  /** Writes back where a thread stands after its words were found again. */
  async repair(thread: string, anchor: Anchor): Promise<void> {
    if (anchor.a === null) return
    await this.#open.command('comments', 'comment.anchor', { thread, a: { ...anchor.a }, block: anchor.block })
  }

  async #send(id: string, pending: Pending, command: string, body: Record<string, unknown>): Promise<void> {
    this.#pending.set(id, pending)
    this.#read()
    try {
      await this.#open.command('comments', command, body as never)
    } finally {
      if (this.#pending.get(id) === pending) this.#pending.delete(id)
      this.#read()
    }
  }

  #read(): void {
    const doc = this.#open.comments?.doc
    if (doc === undefined) return
    const threads = new Map<string, Thread & { messages: Message[] }>()
    doc.getMap('threads').forEach((value, id) => {
      const map = value as Y.Map<unknown>
      if (typeof map.get !== 'function') return
      threads.set(id, {
        id, anchor: anchorOf(map), by: text(map.get('by')), name: text(map.get('by_name')), color: text(map.get('by_color')), guest: map.get('guest') === true,
        resolvedBy: { name: text(map.get('resolved_by_name')), guest: map.get('resolved_by_guest') === true },
        created: number(map.get('created')) ?? 0, resolved: number(map.get('resolved')), messages: [], waiting: false,
      })
    })
    doc.getMap('messages').forEach((value, key) => {
      const thread = threads.get(key.slice(0, key.indexOf(':')))
      const message = (value instanceof Object && 'toJSON' in value ? (value as Y.Map<unknown>).toJSON() : value) as Record<string, unknown> | null
      if (thread === undefined || message === null || typeof message !== 'object') return
      thread.messages.push({
        id: text(message['id']), thread: thread.id, by: text(message['by']), name: text(message['by_name']), color: text(message['by_color']), guest: message['guest'] === true,
        body: bodyOf(message['body']), time: number(message['time']) ?? 0, edited: number(message['edited']), waiting: false,
      })
    })
    for (const pending of this.#pending.values()) this.#show(threads, pending)
    const list = [...threads.values()]
    for (const thread of list) thread.messages.sort((a, b) => a.time - b.time || a.id.localeCompare(b.id))
    // A notice may lead to a thread that has not come yet; only one that was here can be gone.
    if (this.active !== null && !threads.has(this.active) && this.threads.some(({ id }) => id === this.active)) this.active = null
    this.threads = list.filter(({ messages }) => messages.length > 0)
  }

  #show(threads: Map<string, Thread & { messages: Message[] }>, pending: Pending): void {
    const { self } = this.#open
    const guest = self.guest === true
    if (pending.kind === 'add') {
      let thread = threads.get(pending.thread)
      if (thread === undefined) {
        if (pending.anchor === null) return
        thread = { id: pending.thread, anchor: pending.anchor, by: self.id, name: self.name, color: self.color, guest, created: pending.time, resolved: null, resolvedBy: { name: '', guest: false }, messages: [], waiting: true }
        threads.set(thread.id, thread)
      }
      if (thread.messages.some(({ id }) => id === pending.message)) return
      thread.messages.push({ id: pending.message, thread: thread.id, by: self.id, name: self.name, color: self.color, guest, body: pending.body, time: pending.time, edited: null, waiting: true })
      return
    }
    for (const [id, thread] of threads) {
      if (pending.kind === 'edit') threads.set(id, { ...thread, messages: thread.messages.map((each) => (each.id === pending.message ? { ...each, body: pending.body, waiting: true } : each)) })
      else if (pending.kind === 'delete') threads.set(id, { ...thread, messages: thread.messages.filter((each) => each.id !== pending.message) })
      else if (id === pending.thread) threads.set(id, { ...thread, resolved: pending.kind === 'resolve' ? pending.time : null, resolvedBy: { name: self.name, guest }, waiting: true })
    }
  }
}
