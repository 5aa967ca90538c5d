// A joined Yjs document: edit `doc`, and what others do appears in it.
import * as Y from 'yjs'
import { PartAwareness } from './awareness.js'
import { CommandQueue, type CommandOutcome } from './commands.js'
import type { Holder, Kept, Loaded, Rescue } from './device/kept.js'
import { Edits } from './edits.js'
import { DeviceError, Refused, type Closed } from './errors.js'
import { reportUncaught } from './events.js'
import { Inbox } from './inbox.js'
import { Part, type Host, type PartEvents } from './part.js'
import { ErrorCode } from './wire/codes.js'
import type { Received } from './wire/messages.js'
import type { Value } from './wire/msgpack.js'

/**
 * Where the newest edits are. `saved`: all on the server's disk. `saving`: on their way. `device`: kept
 * in IndexedDB, not on the server. `unsaved`: in this page's memory only.
 */
export type Saved = 'saved' | 'saving' | 'device' | 'unsaved'

export interface DocumentOptions {
  /** A part of the room, e.g. `comments`; the main part without it. */
  readonly part?: string
  /** Version of the room type's schema that the application knows; 0: none. */
  readonly schema?: number
  /** The document to fill; what is in it already counts as an edit. A fresh one without it. */
  readonly doc?: Y.Doc
  /** Keep a copy on this device, if the session has a `storage`; true by default. */
  readonly offline?: boolean
  /** `frame`: what others do is gathered and applied once per painted frame, in one transaction. */
  readonly batch?: 'frame'
  /** The capability that writing needs, `edit` by default; null: only the server writes this part. */
  readonly write?: string | null
}

/** The schema that the application knows, and the server's; 0 is none. */
export interface Schema {
  readonly mine: number
  readonly server: number
  /** If false, this client may only look: it never sends updates. */
  readonly matches: boolean
}

/** Work that the server does not take. It stays in `doc`, and on this device. */
export interface RefusedEdits {
  readonly code: number
  readonly reason: string
}

export interface ResetDocument {
  /** The document from now on, empty until it is joined again. */
  readonly doc: Y.Doc
  /** The one before: nothing that happens in it counts any more. */
  readonly old: Y.Doc
  /** The old one as an update, if something in it never reached the server. */
  readonly rescued: Rescue | null
  readonly code: number
  readonly reason: string
}

export type DocumentEvents = PartEvents & {
  saved: [saved: Saved]
  schema: [schema: Schema]
  /** Edits made here were not taken. Said once until something changes. */
  refused: [edits: RefusedEdits]
  /** `doc` and `awareness` are others now: bind to them anew. */
  reset: [reset: ResetDocument]
  /** A command sent with `queue` was answered, maybe one of an earlier visit. */
  command: [outcome: CommandOutcome]
}

/** Opens the copy on this device; `device/index.ts` has the one for IndexedDB. */
export type OpenKept = (storage: string, name: string, host: Host, holder: Holder) => Kept

/** Seconds after another tab's edits until it is made sure that the server has them. */
const CHECK_AFTER = 5
const FROM_SERVER = Symbol('from the server')
const FROM_DEVICE = Symbol('from this device')

export class DocumentPart extends Part<DocumentEvents> {
  /** Whether a copy was found on this device: `doc` then holds it. */
  readonly loaded: Promise<boolean>
  readonly #edits = new Edits()
  readonly #inbox: Inbox
  readonly #commands: CommandQueue
  readonly #kept: Kept | null
  readonly #write: string | null
  readonly #keyStart: Uint8Array
  readonly #onUpdate = (update: Uint8Array, origin: unknown): void => this.#updated(update, origin)
  #doc: Y.Doc
  #awareness: PartAwareness
  #schema: Schema
  #saved: Saved = 'saved'
  #rescued: Rescue | null = null
  #ready = false
  #serverHas: Uint8Array = new Uint8Array([0])
  #outgoing: { update: Uint8Array; edit: number }[] = []
  #behind = false
  #toldRefused = false
  #stopCheck: (() => void) | null = null

  constructor(host: Host, name: string, options: DocumentOptions, openKept: OpenKept) {
    super(host, name, options.schema ?? 0)
    this.#write = options.write === undefined ? 'edit' : options.write
    this.#schema = { mine: this.schemaShown, server: 0, matches: true }
    this.#keyStart = host.platform.bytes(12)
    this.#inbox = new Inbox(host.platform, options.batch === 'frame', (updates) => this.#merge(updates))
    this.#commands = new CommandQueue({
      run: async (command, body) => (await this.runCommand(command, body)).body,
      later: (callback) => this.later(callback),
      done: (outcome) => this.#commandDone(outcome),
    })
    this.#doc = options.doc ?? new Y.Doc()
    this.#awareness = this.#makeAwareness()
    this.#doc.on('update', this.#onUpdate)
    const { storage } = host
    this.#kept =
      storage !== null && options.offline !== false ? openKept(storage, name, host, this.#holder()) : null
    if (this.#doc.store.clients.size > 0) this.#edited(Y.encodeStateAsUpdate(this.#doc))
    this.loaded = this.#load()
  }

  /** The shared document; another one after a `reset`. */
  get doc(): Y.Doc {
    return this.#doc
  }

  /** Cursors and names of who is here; belongs to `doc`. */
  get awareness(): PartAwareness {
    return this.#awareness
  }

  get schema(): Schema {
    return this.#schema
  }

  /** Whether this user may edit `doc`, as the server said last. */
  get writable(): boolean {
    return this.#write !== null && this.access.has(this.#write) && this.#schema.matches && !this.over
  }

  get saved(): Saved {
    return this.#saved
  }

  /** Local work that was put aside by a reset, now or in an earlier visit; null if there is none. */
  get rescued(): Rescue | null {
    return this.#rescued
  }

  /** The rescued work has been looked at and is needed no longer. */
  dropRescued(): void {
    this.#rescued = null
    this.#kept?.dropRescue()
  }

  /** Name the document in the list of what is kept on this device. */
  describe(title: string): void {
    this.#kept?.describe(title)
  }

  /** Returns once `saved` is `saved`; rejects if the part ends first. */
  whenSaved(): Promise<void> {
    return new Promise((resolve, reject) => {
      const look = (): void => {
        if (this.#saved === 'saved') resolve()
        else if (this.over || this.host.closed !== null) {
          reject(this.gone ?? this.host.closed ?? new Refused(ErrorCode.notJoined, 'the part was left'))
        } else return
        offs.forEach((off) => off())
      }
      const offs = [this.on('saved', look), this.on('gone', look)]
      look()
    })
  }

  /**
   * Have the room do something, and return its answer. With `queue` it waits for a connection, also
   * over visits if a copy is kept on this device, and runs at least once, in order with the others.
   */
  override async command(name: string, body: Value = null, options: { queue?: boolean } = {}): Promise<Value> {
    if (!options.queue) return super.command(name, body)
    if (this.gone !== null) throw this.gone
    const command = { id: hex(this.host.platform.bytes(12)), name, body }
    const answer = this.#commands.add(command)
    this.#kept?.addCommand(command)
    this.#look()
    if (this.channel !== 0 && this.#commands.size === 1) this.#commands.open()
    return answer
  }

  override online(): void {
    if (this.#ready) super.online()
  }

  override opened(message: Received<'joined'>): void {
    const { schema: server } = message
    const before = this.#schema
    this.#schema = { mine: before.mine, server, matches: server === 0 || server === before.mine }
    super.opened(message)
    if (this.#schema.server !== before.server) this.emit('schema', this.#schema)
  }

  override async settled(): Promise<void> {
    await this.#kept?.settled()
  }

  // From the server

  protected state(): Uint8Array {
    this.#inbox.flush()
    return Y.encodeStateVector(this.#doc)
  }

  protected take(message: Received<'joined'>): void {
    const resumed = this.incarnation === message.incarnation
    this.incarnation = message.incarnation
    this.offset = message.offset
    this.#serverHas = message.state
    this.#outgoing = []
    this.#toldRefused = false
    this.#kept?.joined({
      incarnation: message.incarnation,
      access: message.access,
      schema: message.schema,
      offset: message.offset,
    })
    for (const update of message.updates) if (!isEmpty(update)) this.#inbox.add(update)
    this.#inbox.flush()
    if (this.channel === 0) return // it broke
    // A resumed copy may hold deletions of others that a crash took from the server, and state
    // vectors do not show deletions; so it is offered even if nothing here is unsaved.
    if (this.writable && (resumed || this.#edits.unsaved > 0)) this.#offer(this.#edits.unsaved > 0)
    else this.#notTaken()
    this.#awareness.opened(message.awareness)
    this.#commands.open()
    this.#look()
  }

  protected changed(message: Received<'changed'>): void {
    this.#inbox.add(message.update)
  }

  protected acked(ref: number): void {
    if (!this.#edits.acked(ref)) return
    if (this.#edits.unsaved === 0) this.#kept?.allSaved(this.#edits.count)
    this.#look()
  }

  protected turnedDown(ref: number, refusal: Refused): void {
    const edits = this.#edits.turnedDown(ref, refusal)
    if (edits === null) return
    if (refusal.retryable) {
      this.#behind = true
      // The server asks for it when there is room again; should it not, this does.
      this.later(() => {
        if (this.#behind) this.#offer(true)
      })
    } else if (edits.length > 0) this.#tellRefused(refusal)
    this.#look()
  }

  protected override resync(state: Uint8Array): void {
    this.#serverHas = state
    this.#offer(true)
    this.#look()
  }

  protected paged(message: Received<'synced'>): void {
    for (const update of message.updates) if (!isEmpty(update)) this.#inbox.add(update)
    this.#serverHas = message.state
    if (this.writable) this.#offer(false)
  }

  protected override heard(states: Uint8Array): void {
    this.#awareness.heard(states)
  }

  protected override accessChanged(): void {
    if (this.channel === 0) return
    this.#toldRefused = false
    if (this.writable && this.#edits.unsaved > 0) this.#offer(true)
    else this.#notTaken()
    this.#kept?.joined({
      incarnation: this.incarnation,
      access: [...this.access],
      schema: this.#schema.server,
      offset: this.offset,
    })
    this.#look()
  }

  protected override storeChanged(): void {
    this.#look()
  }

  protected startOver(code: number, reason: string): void {
    this.#startOver(code, reason)
  }

  protected dropped(): void {
    this.#inbox.flush()
    this.#outgoing = []
    this.#behind = false
    this.#stopCheck?.()
    this.#stopCheck = null
    this.#edits.lost()
    this.#commands.lost()
    this.#awareness.lost()
    this.#look()
  }

  protected abandoned(why: Refused | Closed): void {
    this.#commands.abandoned(why)
    this.#look()
  }

  protected override finished(): void {
    const forbidden = this.gone !== null && this.gone.code !== ErrorCode.notJoined
    if (this.gone !== null && this.#edits.unsaved > 0) this.#rescued = this.#rescue(this.gone.code, this.gone.reason)
    else if (forbidden && this.#commands.size === 0) this.#kept?.forget()
    this.#doc.off('update', this.#onUpdate)
    this.#awareness.destroy()
    this.#kept?.close()
  }

  // What happens here

  #updated(update: Uint8Array, origin: unknown): void {
    if (origin === FROM_SERVER || origin === FROM_DEVICE) return
    this.#kept?.show(update, this.channel !== 0 && this.writable)
    this.#edited(update)
  }

  /** An edit of this tab, or one that another tab has not sent. */
  #edited(update: Uint8Array): void {
    const edit = this.#edits.made()
    const sending = this.channel !== 0 && this.writable
    this.#kept?.append(update, edit)
    if (sending) {
      this.#outgoing.push({ update, edit })
      if (this.#outgoing.length === 1) queueMicrotask(() => this.#send())
    } else this.#notTaken()
    this.#look()
  }

  /** What one task of the application edited travels as one update. */
  #send(): void {
    const outgoing = this.#outgoing
    this.#outgoing = []
    if (outgoing.length === 0) return
    const updates = outgoing.map(({ update }) => update)
    const ref = this.submit(updates.length === 1 ? updates[0]! : Y.mergeUpdates(updates), this.#nextKey())
    if (ref !== null) this.#edits.sent(ref, outgoing.map(({ edit }) => edit))
    this.#look()
  }

  /** Send what the server lacks: all that is unsaved, whatever became of it before. */
  #offer(evenIfEmpty: boolean): void {
    this.#inbox.flush()
    if (this.channel === 0) return
    this.#behind = false
    this.#outgoing = []
    const lacking = this.writable
      ? Y.encodeStateAsUpdate(this.#doc, this.#serverHas.length > 0 ? this.#serverHas : undefined)
      : EMPTY_UPDATE
    if (isEmpty(lacking) && !evenIfEmpty) return
    const ref = this.submit(lacking, this.#nextKey())
    if (ref === null) return
    if (this.writable) this.#edits.sent(ref)
    else this.#edits.sent(ref, [])
  }

  /** Say, once, that edits made here go nowhere. */
  #notTaken(): void {
    if (this.channel === 0 || this.#edits.unsaved === 0 || this.writable) return
    this.#tellRefused(
      this.#schema.matches
        ? new Refused(ErrorCode.permissionDenied, 'you may not write here')
        : new Refused(
            ErrorCode.schemaMismatch,
            `the server has schema ${this.#schema.server}, this client ${this.#schema.mine}`,
          ),
    )
  }

  #tellRefused({ code, reason }: Refused): void {
    if (this.#toldRefused) return
    this.#toldRefused = true
    this.emit('refused', { code, reason })
  }

  #merge(updates: readonly Uint8Array[]): void {
    for (const update of updates) this.#kept?.append(update, 0)
    this.#apply(updates, FROM_SERVER)
  }

  /** Apply updates in one transaction; the copy starts over if one cannot be applied. */
  #apply(updates: readonly Uint8Array[], origin: symbol): void {
    const doc = this.#doc
    const broken: unknown[] = []
    try {
      Y.transact(
        doc,
        () => {
          try {
            for (const update of updates) Y.applyUpdate(doc, update, origin)
          } catch (problem) {
            broken.push(problem)
          }
        },
        origin,
        false,
      )
    } catch (problem) {
      reportUncaught(problem) // an observer of the application; the updates are in
    }
    if (broken.length === 0) return
    reportUncaught(broken[0])
    const joined = this.channel
    this.lost()
    if (joined !== 0) this.host.send({ type: 'leave', channel: joined })
    this.#startOver(ErrorCode.internal, `the local copy broke: ${String(broken[0])}`)
    this.later(() => this.online())
  }

  #startOver(code: number, reason: string, alone = true): void {
    const old = this.#doc
    this.#inbox.clear()
    const rescued = this.#edits.unsaved > 0 ? this.#rescue(code, reason) : null
    if (rescued !== null) this.#rescued = rescued
    old.off('update', this.#onUpdate)
    this.#awareness.destroy()
    this.#doc = new Y.Doc({ gc: old.gc, gcFilter: old.gcFilter })
    this.#doc.on('update', this.#onUpdate)
    this.#awareness = this.#makeAwareness()
    this.incarnation = 0
    this.offset = 0
    this.#serverHas = new Uint8Array([0])
    this.#outgoing = []
    this.#edits.clear()
    if (alone) this.#kept?.startOver(rescued)
    this.emit('reset', { doc: this.#doc, old, rescued, code, reason })
    this.#look()
  }

  #rescue(code: number, reason: string): Rescue {
    const update = Y.encodeStateAsUpdate(this.#doc)
    return { update, incarnation: this.incarnation, code, reason, date: this.host.platform.date() }
  }

  #commandDone(outcome: CommandOutcome): void {
    this.#kept?.dropCommand(outcome.id)
    this.emit('command', outcome)
    this.#look()
  }

  /** Find out where the newest edits are, and tell if that is news. */
  #look(): void {
    const saved = this.#whereEditsAre()
    if (saved === this.#saved) return
    this.#saved = saved
    this.emit('saved', saved)
  }

  #whereEditsAre(): Saved {
    const edits = this.#edits
    if (edits.unsaved === 0 && this.#commands.size === 0) return 'saved'
    const edited = edits.unsaved === 0 || (this.writable && !edits.refused && !this.#behind)
    if (this.channel !== 0 && !this.storeWaits && edited) return 'saving'
    if (this.#kept?.keeps(edits.count)) return 'device'
    return this.#kept?.writing ? 'saving' : 'unsaved'
  }

  // On this device

  async #load(): Promise<boolean> {
    let loaded: Loaded | null = null
    try {
      loaded = (await this.#kept?.load()) ?? null
    } catch (problem) {
      if (problem instanceof DeviceError) this.host.deviceFailed(problem)
      else reportUncaught(problem)
    }
    if (loaded !== null && !this.over) this.#fill(loaded)
    this.#ready = true
    if (!this.over) this.online()
    return loaded !== null
  }

  #fill(loaded: Loaded): void {
    this.incarnation = loaded.incarnation
    this.offset = loaded.offset
    this.#rescued = loaded.rescue
    const { schema: server } = loaded
    this.#schema = { mine: this.#schema.mine, server, matches: server === 0 || server === this.#schema.mine }
    this.#apply(loaded.updates, FROM_DEVICE)
    if (loaded.unsaved) this.#kept?.append(NOTHING, this.#edits.made())
    this.#commands.restore(loaded.commands)
    this.setAccess(loaded.access)
    this.#look()
  }

  #holder(): Holder {
    return {
      stateVector: () => Y.encodeStateVector(this.#doc),
      lackedBy: (state) => {
        const lacking = Y.encodeStateAsUpdate(this.#doc, state)
        return isEmpty(lacking) ? null : lacking
      },
      sending: () => this.#edits.unsaved === 0 || (this.channel !== 0 && this.writable),
      everything: () => Y.encodeStateAsUpdate(this.#doc),
      edited: (update, sent) => this.#editedElsewhere(update, sent),
      cleared: () => this.#clearedElsewhere(),
      keptChanged: () => this.#look(),
      failed: (problem) => this.host.deviceFailed(problem),
    }
  }

  /** Another tab edited; if it cannot send that, this one answers for it. */
  #editedElsewhere(update: Uint8Array, sent: boolean): void {
    let news = false
    const heard = (): void => {
      news = true
    }
    const doc = this.#doc
    doc.on('update', heard)
    this.#apply([update], FROM_DEVICE)
    doc.off('update', heard)
    if (!news && doc.store.pendingStructs === null) return
    if (sent) this.#checkSoon()
    else this.#edited(update)
  }

  /** The tab that edited may be gone before the server had it; then this one brings it. */
  #checkSoon(): void {
    this.#stopCheck?.()
    this.#stopCheck = this.host.platform.after(CHECK_AFTER, () => {
      this.#stopCheck = null
      if (this.channel === 0 || !this.writable) return
      this.host.send({ type: 'sync', channel: this.channel, ref: this.host.nextRef(), state: this.state() })
    })
  }

  /** Another tab was told to throw the copy away: what this one shows came from the same copy. */
  #clearedElsewhere(): void {
    if (this.over) return
    const joined = this.channel
    this.lost()
    if (joined !== 0) this.host.send({ type: 'leave', channel: joined })
    this.#startOver(ErrorCode.staleIncarnation, 'the copy was started over in another tab', false)
    this.online()
  }

  #makeAwareness(): PartAwareness {
    return new PartAwareness(this.#doc, this.host.platform, (states) => {
      if (this.channel !== 0) this.host.send({ type: 'awareness', channel: this.channel, states })
    })
  }

  /** A key that this user uses once: 12 bytes of chance and a number. */
  #nextKey(): Uint8Array {
    const key = new Uint8Array(20)
    key.set(this.#keyStart)
    new DataView(key.buffer).setBigUint64(12, BigInt(this.host.nextRef()))
    return key
  }
}

const NOTHING = new Uint8Array()
const EMPTY_UPDATE = new Uint8Array([0, 0])

function isEmpty(update: Uint8Array): boolean {
  return update.length === 0 || (update.length === 2 && update[0] === 0 && update[1] === 0)
}

function hex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('')
}
