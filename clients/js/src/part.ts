// A part as an application holds it: what documents and logs have in common.
import { Backoff } from './backoff.js'
import { Closed, Disconnected, Refused, type DeviceError } from './errors.js'
import { Events } from './events.js'
import type { Platform } from './platform.js'
import { CloseCode, ErrorCode } from './wire/codes.js'
import type { ClientMessage, Received, ServerMessage } from './wire/messages.js'
import type { Value } from './wire/msgpack.js'

/** Bytes of a frame beside its update, at most. */
const FRAME_MARGIN = 128

/** The session, as its parts see it. */
export interface Host {
  readonly platform: Platform
  readonly connected: boolean
  readonly closed: Closed | null
  /** Bytes of the largest frame that the server takes; 0: unknown. */
  readonly frameLimit: number
  /** Where documents are kept on this device; null: nowhere. */
  readonly storage: string | null
  nextRef(): number
  /** Put a message on its way; false while there is no connection. */
  send(message: ClientMessage): boolean
  /** Send a request and return its answer; rejects if it is refused or the connection ends. */
  ask(message: ClientMessage & { readonly ref: number }): Promise<ServerMessage>
  /** Send the part's join, if there is a connection and none is on its way. */
  rejoin(part: Joining): void
  /** The part is over. */
  forget(part: Joining): void
  deviceFailed(problem: DeviceError): void
}

export interface PartSignal {
  readonly name: string
  readonly body: Value
  /** The sender's user id; empty: the server. */
  readonly sender: string
}

export type PartEvents = {
  /** What this user may do here has changed. */
  access: [access: ReadonlySet<string>]
  /** The part is over: left by the server's wish, or refused for good. */
  gone: [why: Refused]
  /** An application message from the room. */
  signal: [signal: PartSignal]
  /** Whether this copy has everything that the server had when it was joined. */
  synced: [synced: boolean]
}

/** A part, as the session sees it. */
export interface Joining {
  readonly name: string
  readonly channel: number
  start(): void
  online(): void
  joinMessage(ref: number): ClientMessage
  opened(message: Received<'joined'>): void
  joinRefused(refusal: Refused): void
  received(message: ServerMessage): void
  lost(): void
  sessionClosed(why: Closed): void
  shut(): void
  settled(): Promise<void>
}

/** What documents and logs have in common. */
export abstract class Part<E extends PartEvents = PartEvents> extends Events<E> implements Joining {
  /** `type/key` or `type/key:part`. */
  readonly name: string
  /** The server's number for the part; 0 while it is not joined. */
  channel = 0
  /** How many asked for this part and have not left it. */
  holders = 1
  /** Why the part is over; null while it is not. */
  gone: Refused | null = null
  /** Offset in the log of the newest change known to be durable. */
  offset = 0
  /** Settles when the server lets us in for the first time, or never will. */
  readonly joined: Promise<void>
  protected readonly host: Host
  protected readonly schemaShown: number
  protected incarnation = 0
  /** The server's store does not answer; what is unsaved stays so for now. */
  protected storeWaits = false
  #access: ReadonlySet<string> = new Set()
  #over = false
  readonly #backoff: Backoff
  readonly #timers = new Map<string, () => void>()
  #settleJoined!: { resolve: () => void; reject: (why: Error) => void }

  constructor(host: Host, name: string, schema: number) {
    super()
    this.host = host
    this.name = name
    this.schemaShown = schema
    this.#backoff = new Backoff(host.platform)
    this.joined = new Promise((resolve, reject) => (this.#settleJoined = { resolve, reject }))
    this.joined.catch(() => {}) // who does not ask need not know
  }

  /** This user's capabilities here: as the server said last, maybe in an earlier session. */
  get access(): ReadonlySet<string> {
    return this.#access
  }

  /** Whether the part is open on the present connection and holds all that the server had. */
  get synced(): boolean {
    return this.channel !== 0
  }

  /** Whether the part was left, or is gone. */
  get over(): boolean {
    return this.#over
  }

  /** Send a signal to the room and return its answer. Rejects with `Refused`, `Disconnected` or `Closed`. */
  async signal(name: string, body: Value = null): Promise<Value> {
    await this.#present()
    const ref = this.host.nextRef()
    const answer = await this.host.ask({ type: 'signal', channel: this.channel, ref, name, body })
    return (answer as Received<'answer'>).body
  }

  /** Have the room do something, and return its answer. Rejects with `Refused`, `Disconnected` or `Closed`. */
  async command(name: string, body: Value = null): Promise<Value> {
    await this.#present()
    return (await this.runCommand(name, body)).body
  }

  /** Ask about the document's past, or go back to it (SPEC.md section 6.1). Rejects with `Refused`, `Disconnected` or `Closed`. */
  async history(question: string, body: Value = null): Promise<Value> {
    await this.#present()
    const ref = this.host.nextRef()
    const answer = await this.host.ask({ type: 'history', channel: this.channel, ref, question, body })
    return (answer as Received<'answer'>).body
  }

  /** Leave the part, once everyone who asked for it has. What is unsaved stays on this device only. */
  leave(): void {
    if (this.#over || --this.holders > 0) return
    if (this.channel !== 0) this.host.send({ type: 'leave', channel: this.channel })
    this.#finish(new Closed(CloseCode.normal, 'the part was left'))
  }

  // For the session

  /** The part begins: load what is kept, then join. */
  start(): void {
    this.online()
  }

  /** A connection stands. */
  online(): void {
    this.host.rejoin(this)
  }

  joinMessage(ref: number): ClientMessage {
    const { incarnation, schemaShown: schema } = this
    return { type: 'join', ref, room: this.name, state: this.state(), incarnation, schema }
  }

  /** The join was accepted. */
  opened(message: Received<'joined'>): void {
    this.channel = message.channel
    this.storeWaits = false
    this.#backoff.reset()
    this.setAccess(message.access)
    this.take(message)
    if (this.channel === 0) return // the copy broke and the part is being joined anew
    this.#settleJoined.resolve()
    this.announce('synced', true)
  }

  /** The join was turned down: start over, come back later, or give up. */
  joinRefused(refusal: Refused): void {
    if (refusal.code === ErrorCode.staleIncarnation && this.incarnation !== 0) {
      this.startOver(refusal.code, refusal.reason)
      this.host.rejoin(this)
    } else if (refusal.retryable) this.later('join', () => this.host.rejoin(this))
    else this.#goneFor(refusal)
  }

  /** A message for this part's channel. */
  received(message: ServerMessage): void {
    switch (message.type) {
      case 'changed':
        if (message.offset > this.offset) this.offset = message.offset
        return this.changed(message)
      case 'ack':
        if (message.offset > this.offset) this.offset = message.offset
        return this.acked(message.ref, message.offset)
      case 'awareness':
        return this.heard(message.states)
      case 'refuse':
        return this.turnedDown(message.ref, new Refused(message.code, message.reason))
      case 'resync':
        return this.resync(message.state)
      case 'synced':
        return this.paged(message)
      case 'signaled': {
        const { name, body, sender } = message
        return this.announce('signal', { name, body, sender })
      }
      case 'access_changed':
        if (this.setAccess(message.access)) this.accessChanged()
        return
      case 'unsaved':
        this.storeWaits = message.waiting
        return this.storeChanged()
      case 'reset':
        this.lost()
        this.startOver(message.code, message.reason)
        return this.host.rejoin(this)
      case 'left':
        this.lost()
        return this.joinRefused(new Refused(message.code, message.reason))
    }
  }

  /** The part is no longer joined. */
  lost(): void {
    const wasJoined = this.channel !== 0
    this.channel = 0
    this.storeWaits = false
    for (const stop of this.#timers.values()) stop()
    this.#timers.clear()
    this.dropped()
    if (wasJoined) this.announce('synced', false)
  }

  /** No connection will follow. The copy stays, and goes on being kept on this device. */
  sessionClosed(why: Closed): void {
    this.#settleJoined.reject(why)
    this.abandoned(why)
  }

  /** The session was closed by the application: nothing that happens here counts any more. */
  shut(): void {
    if (this.#over) return
    this.#over = true
    this.finished()
  }

  /** Returns when what is to be kept on this device has been written. */
  async settled(): Promise<void> {}

  // For the kinds of part

  /** Emit one of the events that every part has. */
  protected announce<K extends keyof PartEvents>(name: K, ...values: PartEvents[K]): void {
    ;(this as unknown as { emit(name: K, ...values: PartEvents[K]): void }).emit(name, ...values)
  }

  /** Note what this user may do; return whether that is news. */
  protected setAccess(access: Iterable<string>): boolean {
    const now = new Set(access)
    const before = this.#access
    this.#access = now
    const news = now.size !== before.size || [...now].some((each) => !before.has(each))
    if (news) this.announce('access', now)
    return news
  }

  protected async runCommand(name: string, body: Value): Promise<Received<'answer'>> {
    const ref = this.host.nextRef()
    const answer = await this.host.ask({ type: 'command', channel: this.channel, ref, name, body })
    return answer as Received<'answer'>
  }

  /** Send an update and return its ref; null while the part is not joined. */
  protected submit(update: Uint8Array, key: Uint8Array): number | null {
    if (this.channel === 0) return null
    const ref = this.host.nextRef()
    const limit = this.host.frameLimit
    if (limit > 0 && update.length + FRAME_MARGIN > limit) {
      // Sent, it would end the session, again and again.
      const refusal = new Refused(ErrorCode.tooLarge, `the server takes frames of ${limit} bytes`)
      this.host.platform.after(0, () => this.turnedDown(ref, refusal))
      return ref
    }
    return this.host.send({ type: 'update', channel: this.channel, ref, update, key }) ? ref : null
  }

  /** Do something after a while that grows with each attempt, once under its name, unless the part is lost first. */
  protected later(what: string, callback: () => void): void {
    if (this.#timers.has(what)) return
    const stop = this.host.platform.after(this.#backoff.next(), () => {
      this.#timers.delete(what)
      callback()
    })
    this.#timers.set(what, stop)
  }

  /** Return once the part is joined; at once if it is. */
  async #present(): Promise<void> {
    if (this.channel === 0 && this.host.connected && !this.#over) await this.joined
    if (this.#over) throw this.gone ?? new Closed(CloseCode.normal, 'the part was left')
    if (this.channel === 0) {
      throw this.host.closed ?? new Disconnected(CloseCode.broken, `${this.name} is not joined at the moment`)
    }
  }

  #goneFor(why: Refused): void {
    if (this.#over) return
    this.gone = why
    this.#finish(why)
    this.announce('gone', why)
  }

  #finish(why: Refused | Closed): void {
    this.#over = true
    this.lost()
    this.host.forget(this)
    this.#settleJoined.reject(why)
    this.abandoned(why)
    this.finished()
  }

  /** What the copy has, as `join` shows it. */
  protected abstract state(): Uint8Array
  protected abstract take(message: Received<'joined'>): void
  protected abstract changed(message: Received<'changed'>): void
  protected abstract acked(ref: number, offset: number): void
  protected abstract turnedDown(ref: number, refusal: Refused): void
  protected abstract paged(message: Received<'synced'>): void
  protected abstract startOver(code: number, reason: string): void
  /** The connection is gone, and with it every answer that was owed. */
  protected abstract dropped(): void
  /** Nobody will answer any more. */
  protected abstract abandoned(why: Refused | Closed): void
  protected resync(_state: Uint8Array): void {}
  protected heard(_states: Uint8Array): void {}
  protected accessChanged(): void {}
  protected storeChanged(): void {}
  /** The part is over for this session. */
  protected finished(): void {}
}
