// A session: one user's parts on one server, over as many connections as it takes.
import { Backoff } from './backoff.js'
import { Connection, type End } from './connection.js'
import { openKept } from './device/index.js'
import { DocumentPart } from './document.js'
import type { DocumentOptions } from './document_types.js'
import { Closed, Disconnected, Refused, type DeviceError } from './errors.js'
import { Events } from './events.js'
import { LogPart, type LogOptions } from './log.js'
import type { Host, Joining } from './part.js'
import { socketUrl, systemPlatform, type Platform, type SocketClass } from './platform.js'
import { CloseCode } from './wire/codes.js'
import type { ClientMessage, Received, ServerMessage } from './wire/messages.js'
import type { Value } from './wire/msgpack.js'

/** `connecting`: about to be open; `offline`: an attempt has failed, others follow; `closed`: none will. */
export type Status = 'connecting' | 'open' | 'offline' | 'closed'

/** Who the server says this is. */
export interface User {
  readonly id: string
  readonly name: string
  readonly color: string
}

export interface SessionOptions {
  /** Of the node's websocket, e.g. `/ws` or `wss://parvis.example.org/ws`. */
  readonly url: string
  /**
   * An access token; or a function that brings a fresh one-time ticket or token before each
   * connection and before the one in use expires. If it throws, the session tries again later; if it
   * throws `Closed`, the session ends.
   */
  readonly ticket: string | (() => string | Promise<string>)
  /** Where documents are kept on this device: a name of this user's own. Null keeps nothing. */
  readonly storage?: string | null
  /** Name and version of the software, for the server's operator. */
  readonly client?: string
  /** Opens sockets, e.g. the class of the package `ws`; the platform's own without it. */
  readonly WebSocket?: SocketClass
  /** Time, chance and the page, for tests. */
  readonly platform?: Partial<Platform>
}

export interface SessionSignal {
  readonly name: string
  readonly body: Value
}

export type SessionEvents = {
  /** The status has changed. */
  status: [status: Status]
  /** The server has said who this is. */
  user: [user: User]
  /** Something about the session's user, e.g. a notice. */
  signal: [signal: SessionSignal]
  /** The session has ended for good. */
  closed: [why: Closed]
  /** Keeping documents on this device does not work, wholly or for now. */
  storage: [problem: DeviceError]
}

/** Seconds after which a connection counts as a good one, so that the next attempt comes soon. */
const GOOD_AFTER = 10
/** Seconds that bringing a ticket may take. */
const TICKET_WITHIN = 30

interface Waiting {
  readonly resolve: (message: ServerMessage) => void
  readonly reject: (why: Error) => void
}

/** Open a session. It returns at once, connects, and comes back by itself until it is closed. */
export function connect(options: SessionOptions): Session {
  return new Session(options)
}

export class Session extends Events<SessionEvents> implements Host {
  readonly platform: Platform
  /** Why the session has ended; null while it has not. */
  closed: Closed | null = null
  readonly #options: SessionOptions
  readonly #parts = new Map<string, Joining>()
  readonly #channels = new Map<number, Joining>()
  readonly #joins = new Map<number, Joining>()
  readonly #answers = new Map<number, Waiting>()
  readonly #backoff: Backoff
  readonly #stopWaking: () => void
  #status: Status = 'connecting'
  #open = false
  #user: User | null = null
  #welcome: Received<'welcome'> | null = null
  #connection: Connection | null = null
  #stopWaiting: (() => void) | null = null
  #attempt = 0
  #openSince = 0
  #unproven = 0
  #ref = 0

  constructor(options: SessionOptions) {
    super()
    this.#options = options
    this.platform = { ...systemPlatform, ...options.platform }
    this.#backoff = new Backoff(this.platform)
    this.#stopWaking = this.platform.onWake(() => this.#woken())
    void this.#connect()
  }

  get status(): Status {
    return this.#status
  }

  /** Who the server said this is, last; null before the first welcome. */
  get user(): User | null {
    return this.#user
  }

  /** What the server said of itself, last. */
  get welcome(): Received<'welcome'> | null {
    return this.#welcome
  }

  /**
   * Open a part that is a Yjs document, `type/key`; `options.part` names a part of the room. It returns at
   * once: `part.loaded` tells of the copy on this device, `part.joined` of the server. Asked for the
   * same part again it returns the same object; it is left when everyone who asked has left.
   */
  document(room: string, options: DocumentOptions = {}): DocumentPart {
    const name = options.part ? `${room}:${options.part}` : room
    const known = this.#parts.get(name)
    if (known instanceof DocumentPart && (options.doc === undefined || options.doc === known.doc)) {
      known.holders += 1
      return known
    }
    return this.#enter(name, new DocumentPart(this, name, options, openKept))
  }

  /** Open an ordered part, `type/key` or `type/key:part`, and read on after an offset. */
  log(name: string, options: LogOptions = {}): LogPart {
    return this.#enter(name, new LogPart(this, name, options))
  }

  /** Try to connect now instead of waiting for the next attempt. */
  retryNow(): void {
    if (this.#status === 'closed') return
    this.#backoff.reset()
    if (this.#stopWaiting !== null) void this.#connect()
    else this.#connection?.probe()
  }

  /** Returns when what is to be kept on this device has been written. */
  async settled(): Promise<void> {
    await Promise.all(Array.from(this.#parts.values(), (part) => part.settled()))
  }

  /** End the session; returns when what is to be kept on this device has been written. */
  async close(): Promise<void> {
    const parts = [...this.#parts.values()]
    this.#end(new Closed(CloseCode.normal, 'closed by the application'))
    await Promise.all(parts.map((part) => part.settled()))
    for (const part of parts) part.shut()
  }

  // For the parts

  get connected(): boolean {
    return this.#open
  }

  get frameLimit(): number {
    const limit = this.#welcome?.limits['frame']
    return typeof limit === 'number' ? limit : 0
  }

  get storage(): string | null {
    return this.#options.storage ?? null
  }

  nextRef(): number {
    this.#ref += 1
    return this.#ref
  }

  send(message: ClientMessage): boolean {
    if (!this.connected) return false
    this.#connection?.send(message)
    return true
  }

  ask(message: ClientMessage & { readonly ref: number }): Promise<ServerMessage> {
    if (!this.send(message)) {
      return Promise.reject(this.closed ?? new Disconnected(CloseCode.broken, 'there is no connection'))
    }
    return new Promise((resolve, reject) => this.#answers.set(message.ref, { resolve, reject }))
  }

  rejoin(part: Joining): void {
    if (!this.connected || part.channel !== 0 || this.#parts.get(part.name) !== part) return
    for (const joining of this.#joins.values()) if (joining === part) return
    const ref = this.nextRef()
    this.#joins.set(ref, part)
    this.send(part.joinMessage(ref))
  }

  forget(part: Joining): void {
    if (this.#parts.get(part.name) === part) this.#parts.delete(part.name)
    for (const [ref, each] of this.#joins) if (each === part) this.#joins.delete(ref)
    for (const [channel, each] of this.#channels) if (each === part) this.#channels.delete(channel)
  }

  deviceFailed(problem: DeviceError): void {
    this.emit('storage', problem)
  }

  // For the connection

  async ticket(): Promise<string> {
    const { ticket } = this.#options
    return typeof ticket === 'string' ? ticket : await ticket()
  }

  welcomed(welcome: Received<'welcome'>): void {
    const text = (name: string): string => String(welcome.user[name] ?? '')
    this.#welcome = welcome
    this.#user = { id: text('id'), name: text('name'), color: text('color') }
    this.#openSince = this.platform.now()
    this.#unproven = 0
    this.#open = true
    this.#become('open')
    this.emit('user', this.#user)
    for (const part of [...this.#parts.values()]) part.online()
  }

  received(message: ServerMessage): void {
    switch (message.type) {
      case 'joined':
        return this.#joined(message)
      case 'answer':
        return this.#answered(message.ref, message)
      case 'refuse':
        if (this.#answers.has(message.ref)) {
          return this.#answered(message.ref, new Refused(message.code, message.reason))
        }
        if (this.#joins.has(message.ref)) {
          const part = this.#joins.get(message.ref)!
          this.#joins.delete(message.ref)
          return part.joinRefused(new Refused(message.code, message.reason))
        }
        break
      case 'signaled':
        if (message.channel === 0) return this.emit('signal', { name: message.name, body: message.body })
        break
    }
    if (!('channel' in message)) return
    const part = this.#channels.get(message.channel)
    if (part === undefined) return
    // A part that is being joined anew has the number of its old self, which it does not listen to.
    if (part.channel === message.channel) part.received(message)
    if (part.channel === 0) this.#channels.delete(message.channel)
  }

  ended(end: End): void {
    this.#connection = null
    const wasOpen = this.#open
    if (wasOpen && this.platform.now() - this.#openSince >= GOOD_AFTER) this.#backoff.reset()
    // A one-time ticket dies of old age where a device falls asleep; a second one that is refused is final.
    const oldTicket = end.code === CloseCode.unauthenticated && !wasOpen && this.#unproven++ === 0
    if (!end.comesBack && !(oldTicket && typeof this.#options.ticket === 'function')) {
      this.#end(new Closed(end.code, end.reason))
      return
    }
    this.#lost(new Disconnected(end.code, end.reason))
    if (this.#status !== 'closed') this.#later(wasOpen ? 'connecting' : 'offline')
  }

  // Connecting

  async #connect(): Promise<void> {
    this.#stopWaiting?.()
    this.#stopWaiting = null
    const attempt = ++this.#attempt
    const current = (): boolean => attempt === this.#attempt && this.#status !== 'closed'
    const stopTimer = this.platform.after(TICKET_WITHIN, () => {
      if (!current()) return
      this.#attempt += 1
      this.#later('offline')
    })
    try {
      const ticket = await this.ticket()
      if (!current()) return
      const Socket = this.#options.WebSocket ?? (globalThis.WebSocket as SocketClass | undefined)
      if (Socket === undefined) {
        throw new Closed('no_websocket', 'this platform has no WebSocket: pass one, e.g. of the package ws')
      }
      const client = this.#options.client ?? '@parvis/client'
      this.#connection = new Connection(this, Socket, socketUrl(this.#options.url), ticket, client)
    } catch (problem) {
      if (!current()) return
      if (problem instanceof Closed) this.#end(problem)
      else this.#later('offline')
    } finally {
      stopTimer()
    }
  }

  #later(status: Status): void {
    this.#become(status)
    this.#stopWaiting = this.platform.after(this.#backoff.next(), () => void this.#connect())
  }

  #woken(): void {
    if (this.#stopWaiting === null) {
      this.#connection?.probe()
      return
    }
    this.#stopWaiting()
    this.#backoff.reset()
    // All clients of a network wake when it is back: not in step.
    this.#stopWaiting = this.platform.after(this.platform.random() * 0.5, () => void this.#connect())
  }

  #become(status: Status): void {
    if (status === this.#status) return
    this.#status = status
    this.emit('status', status)
  }

  #lost(why: Disconnected | Closed): void {
    this.#joins.clear()
    this.#channels.clear()
    this.#open = false
    for (const part of [...this.#parts.values()]) part.lost()
    const answers = [...this.#answers.values()]
    this.#answers.clear()
    for (const { reject } of answers) reject(why)
  }

  #end(why: Closed): void {
    if (this.#status === 'closed') return
    this.#stopWaiting?.()
    this.#stopWaiting = null
    this.#stopWaking()
    const connection = this.#connection
    this.#connection = null
    this.closed = why
    this.#lost(why)
    this.#become('closed')
    connection?.end(CloseCode.normal, why.reason)
    for (const part of [...this.#parts.values()]) part.sessionClosed(why)
    this.emit('closed', why)
  }

  // Parts and requests

  #enter<P extends Joining>(name: string, part: P): P {
    if (this.closed !== null) throw this.closed
    if (this.#parts.has(name)) throw new Error(`${name} is open already, as something else`)
    this.#parts.set(name, part)
    part.start()
    return part
  }

  #joined(message: Received<'joined'>): void {
    const part = this.#joins.get(message.ref)
    this.#joins.delete(message.ref)
    if (part === undefined) {
      this.send({ type: 'leave', channel: message.channel }) // left before the answer came
      return
    }
    this.#channels.set(message.channel, part)
    part.opened(message)
    if (part.channel === 0) this.#channels.delete(message.channel)
  }

  #answered(ref: number, answer: ServerMessage | Refused): void {
    const waiting = this.#answers.get(ref)
    this.#answers.delete(ref)
    if (answer instanceof Refused) waiting?.reject(answer)
    else waiting?.resolve(answer)
  }
}

