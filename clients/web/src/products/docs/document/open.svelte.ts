// A document that is open: who is in, its parts, what may be done, where the newest edits are.
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
import { enter, forgetVisit, visitKept, type Visit } from './link'
import { Pictures } from './pictures'

/**
 * opening: nothing to show yet. open: it is there. name: a guest says who they are first.
 * signIn: nobody is signed in, and there is no link. missing: not there, or not for this person.
 * link: the link does not work (any more). unreachable: no network, and no copy here. failed: `problem`.
 */
export type Phase = 'opening' | 'open' | 'name' | 'signIn' | 'missing' | 'link' | 'unreachable' | 'failed'

/** Why an open document cannot be written, besides its role. */
export type Ended = 'deleted' | 'removed' | 'ended'

/** Where the reader's newest work is, in every part together. */
export type Standing = Saved | 'connecting' | 'offline' | 'refused' | 'ended'

export interface Person {
  /** Of Yjs' awareness. */
  readonly client: number
  readonly id: string
  readonly name: string
  readonly color: string
  readonly self: boolean
  readonly guest: boolean
}

const ORDER: readonly Saved[] = ['saved', 'saving', 'device', 'unsaved']
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
  title = $state('')
  /** The title is what the document says, not what a list said. */
  titleKnown = $state(false)
  inBin = $state(false)
  ended = $state<Ended | null>(null)
  /** Edits that the server does not take, e.g. because the right to write is gone. */
  refused = $state.raw<RefusedEdits | null>(null)
  /** Work put aside when the document began anew. */
  rescued = $state.raw<Rescue | null>(null)
  people = $state.raw<readonly Person[]>([])
  pictures: Pictures
  #session: Session | null = null
  #offs: (() => void)[] = []
  #over = false
  /** The server has let the reader in since this was opened. */
  #wasIn = false

  constructor(key: string) {
    this.key = key
    this.pictures = new Pictures(key, async () => undefined, null)
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
    if (!/^[0-9A-Za-z]{16}$/.test(this.key)) {
      // No document is called so; what an address tries is not worth the server's time.
      this.phase = 'missing'
      return
    }
    this.phase = 'opening'
    try {
      if (secret !== null) {
        // Whoever was in before, by the same link and with a name, comes back as the same.
        const before = account.user === null ? visitKept(this.key) : null
        if (before !== null && name === '' && before.name !== '') this.visit = before
        else {
          const entered = await enter(this.key, secret, name)
          this.document = entered.document
          this.visit = entered.visit
          const writes = entered.document.capabilities.some((each) => each === 'edit' || each === 'comment')
          if (entered.visit !== null && writes && name === '') {
            this.phase = 'name'
            return
          }
        }
      } else if (account.user === null) this.visit = visitKept(this.key)
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
    this.pictures.destroy()
    this.pictures = new Pictures(this.key, this.token, this.isMember ? (account.user?.id ?? null) : null)
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
      this.inBin = document.deleted !== null
      if (this.#title() === '') this.title = document.title
    } catch (error) {
      if (this.#over) return
      const isGone = error instanceof Refusal && (error.status === 404 || error.status === 410 || error.status === 403)
      if (isGone && this.phase === 'opening') {
        forgetKept(this.key)
        this.#couldNotOpen(error, false)
      } else if (!isGone && this.phase === 'opening' && !this.filled) {
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
    this.pictures.destroy()
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
        this.#watchPeople()
        this.#look()
      }),
      meta.on('reset', () => this.#watchMeta()),
      meta.on('synced', () => this.#readMeta()),
    ]
    this.#offs.push(...offs)
    void meta.loaded.then(() => this.#readMeta())
    this.#watchMeta()
    this.#watchPeople()
    const stop = live.mayRisk(() => this.saved === 'unsaved' || this.saved === 'device' || this.saved === 'saving')
    this.#offs.push(stop)
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

  #stopMeta: (() => void) | null = null
  #watchMeta(): void {
    this.#stopMeta?.()
    const map = this.meta?.doc.getMap('doc')
    if (map === undefined) return
    const read = (): void => this.#readMeta()
    map.observe(read)
    this.#stopMeta = () => map.unobserve(read)
    this.#offs.push(() => this.#stopMeta?.())
    read()
  }

  #title(): string {
    const title = this.meta?.doc.getMap('doc').get('title')
    return typeof title === 'string' ? title : ''
  }

  #readMeta(): void {
    const map = this.meta?.doc.getMap('doc')
    if (map === undefined || map.size === 0) return
    this.title = this.#title()
    this.titleKnown = true
    this.inBin = map.get('bin') === true
    this.content?.describe(titleOf({ title: this.title }))
    this.#look()
  }

  #stopPeople: (() => void) | null = null
  #watchPeople(): void {
    this.#stopPeople?.()
    const awareness = this.content?.awareness
    if (awareness === undefined) return
    const read = (): void => {
      const people: Person[] = []
      for (const [client, state] of awareness.getStates()) {
        const user = (state as { user?: { id?: unknown; name?: unknown; color?: unknown; guest?: unknown } }).user
        if (user === undefined) continue
        people.push({
          client, self: client === awareness.clientID,
          id: typeof user.id === 'string' && user.id !== '' ? user.id : String(client),
          name: typeof user.name === 'string' ? user.name : '?',
          color: typeof user.color === 'string' ? user.color : '',
          guest: user.guest === true,
        })
      }
      this.people = people.sort((a, b) => Number(b.self) - Number(a.self) || a.client - b.client)
    }
    awareness.on('change', read)
    this.#stopPeople = () => awareness.off('change', read)
    this.#offs.push(() => this.#stopPeople?.())
    read()
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
    const status = error instanceof Refusal ? error.status : 0
    const code = error instanceof Refused ? error.code : 0
    const isNo = status === 404 || status === 403 || status === 410 || code === ErrorCode.roomNotFound || code === ErrorCode.roomDeleted || code === ErrorCode.permissionDenied
    if (byLink && isNo) {
      forgetVisit(this.key)
      this.phase = 'link'
    } else if (isNo) {
      if (this.visit !== null) forgetVisit(this.key)
      this.phase = this.visit === null ? 'missing' : 'link'
    } else if (status === 401) this.phase = 'signIn'
    else if (error instanceof Refusal && (error.code === 'no_answer' || status >= 500)) {
      // With a copy on this device it opens all the same.
      if (byLink || account.user === null) this.phase = 'unreachable'
      else if (this.content === null) return
      else this.phase = 'unreachable'
    } else this.phase = 'failed'
  }
}
