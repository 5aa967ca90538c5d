// A session without a network: a clock that is moved by hand, and the server's end of each socket.
import { connect, type Platform, type Session, type SessionOptions } from '../src/index.js'
import { CLIENT_MESSAGES, SERVER_MESSAGES } from '../src/wire/messages.js'
import { pack, unpack, type Value } from '../src/wire/msgpack.js'

type Table = { readonly [type: string]: readonly [number, { readonly [name: string]: { readonly missing?: unknown } }] }
export type Said = { readonly type: string; readonly [name: string]: Value }

/** Time that passes only when told to, and chance that is always the same. */
export class Clock {
  time = 0
  chance = 0.5
  readonly wakers = new Set<() => void>()
  #timers: { at: number; callback: () => void }[] = []
  #bytes = 0

  readonly platform: Platform = {
    now: () => this.time,
    date: () => 1_800_000_000 + this.time,
    after: (seconds, callback) => {
      const timer = { at: this.time + seconds, callback }
      this.#timers.push(timer)
      return () => (this.#timers = this.#timers.filter((each) => each !== timer))
    },
    random: () => this.chance,
    bytes: (count) => new Uint8Array(count).fill((this.#bytes = (this.#bytes + 1) % 256)),
    frame: (callback) => this.platform.after(0.016, callback),
    onWake: (callback) => {
      this.wakers.add(callback)
      return () => this.wakers.delete(callback)
    },
    onHide: () => () => {},
  }

  /** Let time pass, and everything happen that it brings. */
  async pass(seconds: number): Promise<void> {
    const end = this.time + seconds
    await settle()
    for (;;) {
      const next = this.#timers.filter(({ at }) => at <= end).sort((a, b) => a.at - b.at)[0]
      if (next === undefined) break
      this.#timers = this.#timers.filter((each) => each !== next)
      this.time = Math.max(this.time, next.at)
      next.callback()
      await settle()
    }
    this.time = end
  }
}

/** Let everything happen that waits for nothing but its turn. */
export async function settle(): Promise<void> {
  for (let n = 0; n < 20; n++) await Promise.resolve()
}

/** The server's end of one socket. */
export class Line {
  static open: Line[] = []
  binaryType = ''
  onopen: ((event: never) => void) | null = null
  onmessage: ((event: never) => void) | null = null
  onclose: ((event: never) => void) | null = null
  onerror: ((event: never) => void) | null = null
  readonly said: Said[] = []
  closed = false
  readonly url: string
  readonly protocols: string | string[]

  constructor(url: string, protocols: string | string[]) {
    this.url = url
    this.protocols = protocols
    Line.open.push(this)
  }

  send(data: Uint8Array): void {
    this.said.push(readClient(data))
  }

  close(): void {
    this.closed = true
  }

  /** The socket opens, and the server welcomes who comes. */
  welcome(facts: { expires?: number; limits?: { [name: string]: Value } } = {}): void {
    this.onopen?.({} as never)
    const user = { id: 'u_1', name: 'Ada', color: '#336699' }
    const limits = { frame: 8388608, rooms: 200, silence: 60, ...facts.limits }
    this.say('welcome', { session: 's', user, expires: facts.expires ?? 0, limits, server: 'test' })
  }

  say(type: keyof typeof SERVER_MESSAGES, fields: { [name: string]: Value } = {}): void {
    const [number, table] = (SERVER_MESSAGES as Table)[type]!
    const values = Object.entries(table).map(([name, { missing }]) => fields[name] ?? (missing as Value))
    this.onmessage?.({ data: pack([number, ...values]).slice().buffer } as never)
  }

  /** The connection ends. */
  drop(code = 1006, reason = ''): void {
    this.closed = true
    this.onclose?.({ code, reason } as never)
  }

  /** What the client said of a kind, oldest first. */
  all(type: string): Said[] {
    return this.said.filter((each) => each.type === type)
  }

  /** What it said of a kind last. */
  last(type: string): Said {
    const found = this.all(type).pop()
    if (found === undefined) throw new Error(`no ${type} among ${this.said.map((each) => each.type).join()}`)
    return found
  }

  /** Accept the last join. */
  letIn(facts: { [name: string]: Value } = {}): void {
    const { ref, room } = this.last('join') as unknown as { ref: number; room: string }
    const state = new Uint8Array([0])
    const usual = { channel: 7, incarnation: 1, offset: 0, access: ['edit', 'view'], updates: [], state }
    this.say('joined', { ref, room, ...usual, ...facts })
  }
}

/** Read a client's frame, as the server does. */
export function readClient(frame: Uint8Array): Said {
  const [number, ...values] = unpack(frame) as Value[]
  const [type, [, fields]] = Object.entries(CLIENT_MESSAGES as Table).find(([, [each]]) => each === number)!
  return { type, ...Object.fromEntries(Object.keys(fields).map((name, n) => [name, values[n] ?? null])) }
}

export interface Lab {
  readonly session: Session
  readonly clock: Clock
  /** The newest socket. */
  line(): Line
  /** How many sockets were opened. */
  lines(): number
}

/** A session whose first socket waits for its welcome. */
export async function lab(options: Partial<SessionOptions> = {}): Promise<Lab> {
  const clock = new Clock()
  Line.open = []
  const session = connect({
    url: 'ws://parvis.test/ws',
    ticket: () => 'ticket',
    WebSocket: Line,
    platform: clock.platform,
    ...options,
  })
  await settle()
  return {
    session,
    clock,
    line: () => Line.open[Line.open.length - 1]!,
    lines: () => Line.open.length,
  }
}
