// One connection from its hello to its end: kept alive, refreshed, drained.
import type { Platform, SocketClass, SocketLike } from './platform.js'
import { Backoff } from './backoff.js'
import { CloseCode, comesBack } from './wire/codes.js'
import { decode, encode, type ClientMessage, type Received, type ServerMessage } from './wire/messages.js'

export const SUBPROTOCOL = 'parvis.v1'

/** Seconds from opening the socket to the welcome, at most. */
const WELCOME_WITHIN = 20
/** Seconds between pings, at most. */
const PING_EVERY = 20
/** Seconds within which a ping must be answered that asks whether the connection still stands. */
const PROBE_WITHIN = 5
/** Part of a token's life after which the next one is fetched. */
const REFRESH_AT = 0.75

/** How a connection ended. */
export interface End {
  readonly code: number
  readonly reason: string
  /** Whether to connect again. */
  readonly comesBack: boolean
}

/** Who owns a connection. */
export interface Owner {
  readonly platform: Platform
  nextRef(): number
  ticket(): Promise<string>
  welcomed(welcome: Received<'welcome'>): void
  received(message: ServerMessage): void
  ended(end: End): void
}

export class Connection {
  readonly #owner: Owner
  readonly #socket: SocketLike
  readonly #stops = new Map<string, () => void>()
  readonly #refreshBackoff: Backoff
  #over = false
  #heard = false
  #pingEvery = PING_EVERY
  #refreshRef = 0

  constructor(owner: Owner, Socket: SocketClass, url: string, ticket: string, client: string) {
    this.#owner = owner
    this.#refreshBackoff = new Backoff(owner.platform, 1)
    const socket = new Socket(url, [SUBPROTOCOL])
    this.#socket = socket
    socket.binaryType = 'arraybuffer'
    socket.onopen = () => this.send({ type: 'hello', ticket, client })
    socket.onmessage = (event: { data: unknown }) => this.#frame(event.data)
    socket.onclose = (event: { code: number; reason: unknown }) =>
      this.end(event.code, String(event.reason ?? ''))
    socket.onerror = () => {} // a close follows
    this.#after('welcome', WELCOME_WITHIN, () => this.end(CloseCode.broken, 'no welcome came'))
  }

  send(message: ClientMessage): void {
    if (!this.#over) this.#socket.send(encode(message))
  }

  /** Ask whether the connection still stands; it ends if no answer comes soon. */
  probe(): void {
    if (this.#stops.has('welcome')) return
    this.#ping(PROBE_WITHIN)
  }

  /** End the connection, once. */
  end(code: number, reason: string): void {
    if (this.#over) return
    this.#over = true
    for (const stop of this.#stops.values()) stop()
    this.#stops.clear()
    const socket = this.#socket
    socket.onopen = socket.onmessage = socket.onclose = null
    try {
      socket.close(1000) // what the server should read is 1000; `code` is for this side
    } catch {
      // it never opened
    }
    this.#owner.ended({ code, reason, comesBack: comesBack(code) })
  }

  #frame(data: unknown): void {
    this.#heard = true
    let message: ServerMessage | null
    try {
      if (!(data instanceof ArrayBuffer)) throw new TypeError('expected binary frames')
      message = decode(new Uint8Array(data))
    } catch (problem) {
      this.end(CloseCode.protocolError, String(problem))
      return
    }
    if (message === null) return // newer than this client
    switch (message.type) {
      case 'pong':
        return
      case 'welcome':
        return this.#welcomed(message)
      case 'drain': {
        const { within, reason } = message
        const moment = this.#owner.platform.random() * within
        return this.#after('drain', moment, () => this.end(CloseCode.restart, reason))
      }
      case 'refreshed':
        this.#refreshBackoff.reset()
        return this.#refreshBefore(message.expires)
      case 'refuse':
        if (message.ref === this.#refreshRef && message.ref !== 0) return this.#refreshLater()
        break
      case 'error': // the close that follows has the same code
        return
    }
    this.#owner.received(message)
  }

  #welcomed(welcome: Received<'welcome'>): void {
    this.#stop('welcome')
    const silence = welcome.limits['silence']
    if (typeof silence === 'number' && silence > 0) this.#pingEvery = Math.min(PING_EVERY, silence / 3)
    this.#after('ping', this.#pingEvery, () => this.#ping(this.#pingEvery))
    this.#refreshBefore(welcome.expires)
    this.#owner.welcomed(welcome)
  }

  /** A timer that fires late, in a throttled or sleeping page, proves nothing: only an unanswered ping does. */
  #ping(within: number): void {
    this.#heard = false
    this.send({ type: 'ping', ref: this.#owner.nextRef() })
    this.#after('ping', within, () => {
      const pause = Math.max(0, this.#pingEvery - within)
      if (this.#heard) this.#after('ping', pause, () => this.#ping(this.#pingEvery))
      else this.end(CloseCode.broken, `nothing came for ${within} seconds`)
    })
  }

  #refreshBefore(expires: number): void {
    if (expires > 0) this.#after('refresh', expires * REFRESH_AT, () => void this.#refresh())
  }

  #refreshLater(): void {
    this.#after('refresh', this.#refreshBackoff.next(), () => void this.#refresh())
  }

  async #refresh(): Promise<void> {
    try {
      const ticket = await this.#owner.ticket()
      if (this.#over) return
      this.#refreshRef = this.#owner.nextRef()
      this.send({ type: 'refresh', ref: this.#refreshRef, ticket })
    } catch {
      // The session goes on until it expires; the next connection will say what is wrong.
      if (!this.#over) this.#refreshLater()
    }
  }

  #after(name: string, seconds: number, callback: () => void): void {
    this.#stop(name)
    const stop = this.#owner.platform.after(seconds, () => {
      this.#stops.delete(name)
      callback()
    })
    this.#stops.set(name, stop)
  }

  #stop(name: string): void {
    this.#stops.get(name)?.()
    this.#stops.delete(name)
  }
}
