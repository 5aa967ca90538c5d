// A document that is open: its parts, what may be done, where the newest edits are.
import type { DocumentPart, RefusedEdits, Rescue, Saved, Session, Value } from '@parvis/client'
import { ErrorCode, Refused } from '@parvis/client'
import spec from '@schema/docs'
import { account } from '@shell/account.svelte'
import { Refusal } from '@shell/api'
import { live } from '@shell/live.svelte'
import type * as Y from 'yjs'
import * as docs from '../api'
import { forgetKept, keptDocument, noteKept } from '../offline'
import { titleOf } from '../titles'
import { comeIn, forgetVisit, type Visit } from './link'
import { Meta } from './meta.svelte'
import { type Ended, failureOf, isGone, type Phase } from './outcomes'
import { People, type Person } from './people.svelte'
import { Images } from './images'

/** Where the reader's newest work is, in every part together. */
export type Standing = Saved | 'connecting' | 'offline' | 'refused' | 'ended'

const ORDER: readonly Saved[] = ['saved', 'saving', 'device', 'unsaved']
/** How the server makes keys. */
const KEY = /^[0-9A-Za-z]{16}$/
export const SCHEMA: number = spec.version

export class OpenDocument {
  readonly key: string
  phase = $state<Phase>('opening')
  problem = $state.raw<unknown>(null)
  /** As the server told it last; null while only the copy on this device is known. */
  document = $state.raw<docs.Doc | null>(null)
  visit = $state.raw<Visit | null>(null)
  content = $state.raw<DocumentPart | null>(null)
  comments = $state.raw<DocumentPart | null>(null)
  meta = $state.raw<DocumentPart | null>(null)
  /** The content's document; another one after a reset. */
  doc = $state.raw<Y.Doc | null>(null)
  access = $state.raw<ReadonlySet<string>>(new Set())
  writable = $state(false)
  /** Everything that the server had when this was opened is here. */
  synced = $state(false)
  /** There is something to show: from this device or from the server. */
  filled = $state(false)
  schemaMatches = $state(true)
  saved = $state<Saved>('saved')
  /** Milliseconds since 1970 since when `saved` is what it is. */
  since = $state(Date.now())
  ended = $state<Ended | null>(null)
  /** Edits that the server does not take, e.g. because the right to write is gone. */
  refused = $state.raw<RefusedEdits | null>(null)
  /** Work put aside when the document began anew. */
  rescued = $state.raw<Rescue | null>(null)
  images: Images
  readonly #about = new Meta()
  readonly #people = new People()
  #session: Session | null = null
  #offs: (() => void)[] = []
  #over = false
  /** The server has let the reader in since this was opened. */
  #wasIn = false

  constructor(key: string) {
    this.key = key
    this.images = new Images(key, async () => undefined, null)
  }

  get title(): string {
    return this.#about.title
  }
  set title(title: string) {
    this.#about.title = title
  }

  /** The title is what the document says, not what a list said. */
  get titleKnown(): boolean {
    return this.#about.known
  }

  get inBin(): boolean {
    return this.#about.inBin
  }

  get people(): readonly Person[] {
    return this.#people.list
  }

  /** Guests and people without account keep nothing on this device. */
  get isMember(): boolean {
    return this.visit === null && account.user !== null
  }

  get self(): docs.Guest {
    const { user } = account
    if (this.visit !== null) return this.visit.guest
    return user ?? { id: 'guest', ...account.face }
  }

  can(capability: docs.Capability): boolean {
    return this.ended === null && this.access.has(capability)
  }

  /** What the light says. */
  get standing(): Standing {
    if (this.ended !== null) return 'ended'
    if (this.refused !== null) return 'refused'
    if (this.saved !== 'saved') return this.saved
    if (live.status === 'open' && this.synced) return 'saved'
    return live.status === 'offline' ? 'offline' : 'connecting'
  }

  readonly token = async (): Promise<string | undefined> => this.visit?.token()

  /** Opens it: by `secret` if the address holds one, else as whoever is here. */
  async open(secret: string | null, name = ''): Promise<void> {
    this.problem = null
    if (!KEY.test(this.key)) {
      // No document is called so; what an address tries is not worth the server's time.
      this.phase = 'missing'
      return
    }
    this.phase = 'opening'
    try {
      const { document, visit, isNameless } = await comeIn(this.key, secret, name, account.user === null)
      this.document = document ?? this.document
      this.visit = visit
      if (isNameless) {
        this.phase = 'name'
        return
      }
      if (account.user === null && account.status !== 'open' && this.visit === null) {
        this.phase = 'signIn'
        return
      }
    } catch (error) {
      this.#couldNotOpen(error, secret !== null)
      if (this.phase !== 'opening') return
    }
    if (!this.#over) this.#join()
  }

  async #join(): Promise<void> {
    const { visit } = this
    const session = visit === null ? live.session() : live.asGuest(visit.guest, visit.token)
    this.#session = session
    this.images.destroy()
    this.images = new Images(this.key, this.token, this.isMember ? (account.user?.id ?? null) : null)
    const room = `docs/${this.key}`
    const offline = this.isMember
    const content = session.document(room, { schema: SCHEMA, offline, batch: 'frame' })
    const meta = session.document(room, { part: 'meta', write: null, offline })
    const comments = session.document(room, { part: 'comments', write: null, offline })
    this.content = content
    this.meta = meta
    this.comments = comments
    this.doc = content.doc
    this.rescued = content.rescued
    this.#listen(content, meta, comments)
    this.#look()

    const kept = offline ? keptDocument(this.key) : null
    void content.loaded.then((found) => {
      if (this.#over || !found) return
      this.rescued = content.rescued
      if (kept !== null) {
        this.document ??= kept
        this.title ||= kept.title
      }
      this.filled = true
      this.phase = 'open'
      this.#look()
    })
    void this.refresh()
    try {
      await content.joined
      if (this.#over) return
      this.#wasIn = true
      this.filled = true
      this.phase = 'open'
      this.#look()
      if (offline) {
        await this.refresh()
        if (this.document !== null) noteKept(this.document)
      }
    } catch (error) {
      if (!this.#over && this.phase !== 'open') this.#couldNotOpen(error, false)
    }
  }

  /** Asks the server what the document is called and what may be done with it now. */
  async refresh(): Promise<void> {
    try {
      const document = await docs.showDocument(this.key, await this.token())
      if (this.#over) return
      this.document = document
      this.#about.inBin = document.deleted !== null
      if (this.#about.said === '') this.title = document.title
    } catch (error) {
      if (this.#over || this.phase !== 'opening') return
      if (isGone(error)) {
        forgetKept(this.key)
        this.#couldNotOpen(error, false)
      } else if (!this.filled) {
        // A copy on this device may still come; if not, there is nothing to show.
        const found = await this.content?.loaded
        if (found !== true && this.phase === 'opening' && !this.#over && !this.synced) this.#couldNotOpen(error, false)
      }
    }
  }

  /** Begins anew after something was in the way. */
  async again(secret: string | null): Promise<void> {
    this.close()
    this.#over = false
    live.retry()
    await this.open(secret)
  }

  close(): void {
    this.#over = true
    for (const off of this.#offs) off()
    this.#offs = []
    this.content?.leave()
    this.meta?.leave()
    this.comments?.leave()
    this.content = this.meta = this.comments = null
    this.images.destroy()
    if (this.visit !== null) void this.#session?.close()
  }

  /** A command of the room. `queue`: it may wait for a connection, over visits, and runs in order. */
  async command(part: 'meta' | 'comments' | 'content', name: string, body: Value, queue = true): Promise<Value> {
    const at = this[part]
    if (at === null) throw new Refused(ErrorCode.notJoined, 'the document is not open')
    return at.command(name, body, { queue })
  }

  async rename(title: string): Promise<void> {
    this.title = title
    await this.command('meta', 'rename', { title })
    if (this.document !== null) this.document = { ...this.document, title }
  }

  dropRescued(): void {
    this.content?.dropRescued()
    this.rescued = null
  }

  #listen(content: DocumentPart, meta: DocumentPart, comments: DocumentPart): void {
    const look = (): void => this.#look()
    const noted = (): void => {
      content.describe(titleOf({ title: this.title }))
      this.#look()
    }
    const offs = [
      content.on('saved', look), meta.on('saved', look), comments.on('saved', look),
      content.on('access', look),
      content.on('schema', look),
      content.on('synced', (synced) => {
        this.#look()
        if (synced && this.phase === 'open') void this.refresh()
      }),
      content.on('refused', (edits) => {
        this.refused = edits
      }),
      content.on('gone', (why) => void this.#gone(why)),
      content.on('reset', ({ doc, rescued }) => {
        this.doc = doc
        this.rescued = rescued ?? this.rescued
        this.#people.watch(content.awareness)
        this.#look()
      }),
      meta.on('reset', () => this.#about.watch(meta, noted)),
      meta.on('synced', () => this.#about.read()),
      live.mayRisk(() => this.saved !== 'saved'),
      () => this.#about.stop(),
      () => this.#people.stop(),
    ]
    this.#offs.push(...offs)
    void meta.loaded.then(() => this.#about.read())
    this.#about.watch(meta, noted)
    this.#people.watch(content.awareness)
  }

  #look(): void {
    const { content, meta, comments } = this
    if (content === null || meta === null || comments === null) return
    this.access = content.access
    this.writable = content.writable && this.ended === null && !this.inBin
    this.synced = content.synced
    this.schemaMatches = content.schema.matches
    // Rights that are back take what was refused.
    if (this.refused !== null && content.writable && content.saved !== 'unsaved') this.refused = null
    const worst = [content, meta, comments].map(({ saved }) => saved).sort((a, b) => ORDER.indexOf(b) - ORDER.indexOf(a))[0] ?? 'saved'
    if (worst !== this.saved) {
      this.saved = worst
      this.since = Date.now()
    }
  }

  /** The server has put the reader out. The text stays until they have decided what to do with it. */
  async #gone(why: Refused): Promise<void> {
    if (this.#over) return
    // A copy here of what is gone, with nothing in it that the server did not have: it is gone here, too.
    if (this.phase !== 'open' || (!this.#wasIn && this.saved === 'saved')) {
      forgetKept(this.key)
      this.#couldNotOpen(why, false)
      return
    }
    this.rescued = this.content?.rescued ?? this.rescued
    this.ended = why.code === ErrorCode.roomDeleted ? 'deleted' : 'removed'
    this.#look()
    try {
      await docs.showDocument(this.key, await this.token())
    } catch (error) {
      if (!(error instanceof Refusal) || error.status !== 404) return
      forgetKept(this.key)
    }
  }

  #couldNotOpen(error: unknown, byLink: boolean): void {
    this.problem = error
    const failure = failureOf(error, byLink || this.visit !== null)
    if (failure === 'link') forgetVisit(this.key)
    // Before its parts are asked for: with a copy on this device it opens all the same.
    if (failure === 'unreachable' && !byLink && account.user !== null && this.content === null) return
    this.phase = failure
  }
}
