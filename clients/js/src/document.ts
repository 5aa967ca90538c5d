// A joined Yjs document: edit `doc`, and what others do appears in it.
import * as Y from 'yjs'
import { PartAwareness } from './awareness.js'
import { CommandQueue, type CommandOutcome } from './commands.js'
import type { Loaded, Rescue } from './device/kept.js'
import { DocumentDevice, type OpenKept } from './document_device.js'
import type { DocumentEvents, DocumentOptions, Saved, Schema } from './document_types.js'
import { Closed, Refused } from './errors.js'
import { reportUncaught } from './events.js'
import { Inbox } from './inbox.js'
import { UpdateKeys } from './keys.js'
import { Part, type Host } from './part.js'
import { SavedWatch } from './saved.js'
import { Sending } from './sending.js'
import { NOTHING, applyTogether, hex, isEmpty } from './updates.js'
import { CloseCode, ErrorCode } from './wire/codes.js'
import type { Received } from './wire/messages.js'
import type { Value } from './wire/msgpack.js'

export type { OpenKept } from './document_device.js'

const FROM_SERVER = Symbol('from the server')
const FROM_DEVICE = Symbol('from this device')

export class DocumentPart extends Part<DocumentEvents> {
  /** Whether a copy was found on this device: `doc` then holds it. */
  readonly loaded: Promise<boolean>
  readonly #inbox: Inbox
  readonly #sending: Sending
  readonly #commands: CommandQueue
  readonly #device: DocumentDevice
  readonly #write: string | null
  readonly #keys: UpdateKeys
  readonly #saved = new SavedWatch({
    where: () => this.#whereEditsAre(),
    ended: () => this.gone ?? this.host.closed ?? (this.over ? new Closed(CloseCode.normal, 'the part was left') : null),
    changed: (saved) => this.emit('saved', saved),
  })
  readonly #onUpdate = (update: Uint8Array, origin: unknown): void => this.#updated(update, origin)
  #doc: Y.Doc
  #awareness: PartAwareness
  #schema: Schema
  #rescued: Rescue | null = null
  #ready = false

  constructor(host: Host, name: string, options: DocumentOptions, openKept: OpenKept) {
    super(host, name, options.schema ?? 0)
    this.#write = options.write === undefined ? 'edit' : options.write
    this.#schema = { mine: this.schemaShown, server: 0, matches: true }
    this.#keys = new UpdateKeys(host.platform, () => host.nextRef())
    this.#doc = options.doc ?? new Y.Doc()
    this.#awareness = this.#makeAwareness()
    this.#inbox = new Inbox(host.platform, options.batch === 'frame', (updates) => this.#merge(updates))
    this.#sending = new Sending({
      doc: () => this.#doc,
      joined: () => this.channel !== 0,
      writable: () => this.writable,
      submit: (update) => this.submit(update, this.#keys.make()),
      later: (callback) => this.later('offer', callback),
      refused: ({ code, reason }) => this.emit('refused', { code, reason }),
      whyNot: () => this.#whyNot(),
    })
    this.#commands = new CommandQueue({
      run: async (command, body) => (await this.runCommand(command, body)).body,
      later: (callback) => this.later('commands', callback),
      done: (outcome) => this.#commandDone(outcome),
    })
    this.#doc.on('update', this.#onUpdate)
    this.#device = this.#openDevice(name, options.offline === false ? null : openKept)
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
    return this.#saved.saved
  }

  /** Local work that was put aside by a reset, now or in an earlier visit; null if there is none. */
  get rescued(): Rescue | null {
    return this.#rescued
  }

  /** The rescued work has been looked at and is needed no longer. */
  dropRescued(): void {
    this.#rescued = null
    this.#device.kept?.dropRescue()
  }

  /** Name the document in the list of what is kept on this device. */
  describe(title: string): void {
    this.#device.kept?.describe(title)
  }

  /** Returns once `saved` is `saved`. Rejects with `Refused` or `Closed` if the part or the session ends first. */
  whenSaved(): Promise<void> {
    return this.#saved.whenSaved()
  }

  /**
   * Have the room do something, and return its answer. With `queue` it waits for a connection, also
   * over visits if a copy is kept on this device, and runs at least once, in order with the others.
   */
  override async command(name: string, body: Value = null, options: { readonly queue?: boolean } = {}): Promise<Value> {
    if (!options.queue) return super.command(name, body)
    if (this.gone !== null) throw this.gone
    const command = { id: hex(this.host.platform.bytes(12)), name, body }
    const answer = this.#commands.add(command)
    this.#device.kept?.addCommand(command)
    this.#saved.look()
    if (this.channel !== 0 && this.#commands.size === 1) this.#commands.open()
    return answer
  }

  override async settled(): Promise<void> {
    await this.#device.kept?.settled()
  }

  override online(): void {
    if (this.#ready) super.online()
  }

  // From the server

  override opened(message: Received<'joined'>): void {
    const before = this.#schema.server
    this.#setSchema(message.schema)
    super.opened(message)
    if (this.#schema.server !== before) this.emit('schema', this.#schema)
  }

  protected state(): Uint8Array {
    this.#inbox.flush()
    return Y.encodeStateVector(this.#doc)
  }

  protected take(message: Received<'joined'>): void {
    const resumed = this.incarnation === message.incarnation
    this.incarnation = message.incarnation
    this.offset = message.offset
    this.#keepStanding()
    this.#addAll(message.updates)
    this.#inbox.flush()
    if (this.channel === 0) return // it broke
    this.#sending.joined(message.state, resumed)
    this.#awareness.opened(message.awareness)
    this.#commands.open()
    this.#saved.look()
  }

  protected changed(message: Received<'changed'>): void {
    this.#inbox.add(message.update)
  }

  protected acked(ref: number): void {
    const { edits } = this.#sending
    if (!edits.acked(ref)) return
    if (edits.unsaved === 0) this.#device.kept?.allSaved(edits.count)
    this.#saved.look()
  }

  protected turnedDown(ref: number, refusal: Refused): void {
    this.#sending.turnedDown(ref, refusal)
    this.#saved.look()
  }

  protected override resync(state: Uint8Array): void {
    this.#inbox.flush()
    this.#sending.asked(state, true)
    this.#saved.look()
  }

  protected paged(message: Received<'synced'>): void {
    this.#addAll(message.updates)
    this.#inbox.flush()
    this.#sending.asked(message.state, false)
  }

  protected override heard(states: Uint8Array): void {
    this.#awareness.heard(states)
  }

  protected override accessChanged(): void {
    this.#sending.accessChanged()
    this.#keepStanding()
    this.#saved.look()
  }

  protected override storeChanged(): void {
    this.#saved.look()
  }

  protected startOver(code: number, reason: string): void {
    this.#startOver(code, reason, true)
  }

  protected dropped(): void {
    this.#inbox.flush()
    this.#device.lost()
    this.#sending.lost()
    this.#commands.lost()
    this.#awareness.lost()
    this.#saved.look()
  }

  protected abandoned(why: Refused | Closed): void {
    this.#commands.abandoned(why)
    this.#saved.look()
  }

  protected override finished(): void {
    if (this.gone !== null) {
      if (this.#sending.edits.unsaved > 0) this.#rescued = this.#rescue(this.gone.code, this.gone.reason)
      else if (this.#commands.size === 0) this.#device.kept?.forget()
    }
    this.#doc.off('update', this.#onUpdate)
    this.#awareness.destroy()
    this.#device.kept?.close()
    this.#saved.look()
  }

  #addAll(updates: readonly Uint8Array[]): void {
    for (const update of updates) if (!isEmpty(update)) this.#inbox.add(update)
  }

  #merge(updates: readonly Uint8Array[]): void {
    for (const update of updates) this.#device.kept?.append(update, 0)
    this.#apply(updates, FROM_SERVER)
  }

  #setSchema(server: number): void {
    const { mine } = this.#schema
    this.#schema = { mine, server, matches: server === 0 || server === mine }
  }

  #whyNot(): Refused {
    if (this.#schema.matches) return new Refused(ErrorCode.permissionDenied, 'you may not write here')
    const { mine, server } = this.#schema
    return new Refused(ErrorCode.schemaMismatch, `the server has schema ${server}, this client ${mine}`)
  }

  // What happens here

  #updated(update: Uint8Array, origin: unknown): void {
    if (origin === FROM_SERVER || origin === FROM_DEVICE) return
    this.#device.kept?.show(update, this.channel !== 0 && this.writable)
    this.#edited(update)
  }

  /** An edit of this tab, or one of another tab that cannot send it. */
  #edited(update: Uint8Array): void {
    const edit = this.#sending.made(update)
    this.#device.kept?.append(update, edit)
    this.#saved.look()
  }

  /** Apply updates in one transaction; the copy starts over if one cannot be applied. */
  #apply(updates: readonly Uint8Array[], origin: symbol): void {
    const broken = applyTogether(this.#doc, updates, origin)
    if (broken === null) return
    reportUncaught(broken.problem)
    this.#stepOut()
    this.#startOver(ErrorCode.internal, `the local copy broke: ${String(broken.problem)}`, true)
    this.later('join', () => this.online())
  }

  /** Leave, to join again as somebody new. */
  #stepOut(): void {
    const { channel } = this
    this.lost()
    if (channel !== 0) this.host.send({ type: 'leave', channel })
  }

  #startOver(code: number, reason: string, alone: boolean): void {
    const old = this.#doc
    this.#inbox.clear()
    const rescued = this.#sending.edits.unsaved > 0 ? this.#rescue(code, reason) : null
    if (rescued !== null) this.#rescued = rescued
    old.off('update', this.#onUpdate)
    this.#awareness.destroy()
    this.#doc = new Y.Doc({ gc: old.gc, gcFilter: old.gcFilter })
    this.#doc.on('update', this.#onUpdate)
    this.#awareness = this.#makeAwareness()
    this.incarnation = 0
    this.offset = 0
    this.#sending.clear()
    if (alone) this.#device.kept?.startOver(rescued)
    this.emit('reset', { doc: this.#doc, old, rescued, code, reason })
    this.#saved.look()
  }

  #rescue(code: number, reason: string): Rescue {
    const update = Y.encodeStateAsUpdate(this.#doc)
    return { update, incarnation: this.incarnation, code, reason, date: this.host.platform.date() }
  }

  #commandDone(outcome: CommandOutcome): void {
    this.#device.kept?.dropCommand(outcome.id)
    this.emit('command', outcome)
    this.#saved.look()
  }

  #whereEditsAre(): Saved {
    const { edits } = this.#sending
    if (edits.unsaved === 0 && this.#commands.size === 0) return 'saved'
    if (this.channel !== 0 && !this.storeWaits && this.#sending.flows) return 'saving'
    if (this.#device.kept?.keeps(edits.count)) return 'device'
    return this.#device.kept?.writing ? 'saving' : 'unsaved'
  }

  #makeAwareness(): PartAwareness {
    return new PartAwareness(this.#doc, this.host.platform, (states) => {
      if (this.channel !== 0) this.host.send({ type: 'awareness', channel: this.channel, states })
    })
  }

  // On this device

  async #load(): Promise<boolean> {
    const loaded = await this.#device.load()
    if (loaded !== null && !this.over) this.#fill(loaded)
    this.#ready = true
    if (!this.over) this.online()
    return loaded !== null
  }

  #fill(loaded: Loaded): void {
    this.incarnation = loaded.incarnation
    this.offset = loaded.offset
    this.#rescued = loaded.rescue
    this.#setSchema(loaded.schema)
    this.#apply(loaded.updates, FROM_DEVICE)
    if (loaded.unsaved) this.#device.kept?.append(NOTHING, this.#sending.edits.made())
    this.#commands.restore(loaded.commands)
    this.setAccess(loaded.access)
    this.#saved.look()
  }

  #keepStanding(): void {
    const { incarnation, offset } = this
    this.#device.kept?.joined({ incarnation, access: [...this.access], schema: this.#schema.server, offset })
  }

  #openDevice(name: string, open: OpenKept | null): DocumentDevice {
    const sends = (): boolean => this.channel !== 0 && this.writable
    const document = {
      doc: () => this.#doc,
      unsaved: () => this.#sending.edits.unsaved,
      sends,
      apply: (update: Uint8Array) => this.#apply([update], FROM_DEVICE),
      edited: (update: Uint8Array) => this.#edited(update),
      compare: () => void this.host.send({ type: 'sync', channel: this.channel, ref: this.host.nextRef(), state: this.state() }),
      clear: () => this.#clearedElsewhere(),
      look: () => this.#saved.look(),
    }
    return new DocumentDevice(this.host, name, document, open)
  }

  #clearedElsewhere(): void {
    if (this.over) return
    this.#stepOut()
    this.#startOver(ErrorCode.staleIncarnation, 'the copy was started over in another tab', false)
    this.online()
  }
}
