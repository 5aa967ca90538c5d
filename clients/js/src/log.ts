// An ordered part: updates in an order that is the same for everyone, each once and without a gap.
import { Closed, Refused } from './errors.js'
import { Part, type Host, type PartEvents } from './part.js'
import { ErrorCode } from './wire/codes.js'
import type { Received } from './wire/messages.js'
import { Malformed, unpack, type Value } from './wire/msgpack.js'

export interface LogOptions {
  /** Offset of the last update that the application has; 0: none. */
  readonly after?: number
  /** Version of the room type's schema that the application knows; 0: none. */
  readonly schema?: number
}

/** An update with its place in the log, its sender's user id, and when it came (seconds since 1970, the server's clock). */
export interface Logged {
  readonly offset: number
  readonly update: Uint8Array
  readonly sender: string
  readonly time: number
}

export type LogEvents = PartEvents & {
  /** Everyone's updates, own ones included, in order. */
  updates: [updates: readonly Logged[]]
  /** The log has another life: its offsets count from 1 again, and everything follows once more. */
  reset: [code: number, reason: string]
}

/** An update without an ack. The server logs what comes with the same key only once. */
interface Sending {
  readonly update: Uint8Array
  readonly key: Uint8Array
  ref: number | null
  readonly resolve: (offset: number) => void
  readonly reject: (why: Error) => void
}

export class LogPart extends Part<LogEvents> {
  #last: number
  #behind = false
  #early: Logged[] = []
  #sending: Sending[] = []

  constructor(host: Host, name: string, options: LogOptions) {
    super(host, name, options.schema ?? 0)
    this.#last = options.after ?? 0
  }

  /** Offset of the last update that was handed over. */
  get last(): number {
    return this.#last
  }

  /** How many updates were sent without an ack. */
  get unsaved(): number {
    return this.#sending.length
  }

  /**
   * Log an update, once, and return its offset when it is durable. A lost connection only delays
   * the answer. Rejects with `Refused` if it is turned down or the part is reset first, or `Closed`.
   */
  send(update: Uint8Array): Promise<number> {
    if (this.over) return Promise.reject(this.gone ?? new Closed(1000, 'the part was left'))
    if (this.host.closed !== null) return Promise.reject(this.host.closed)
    return new Promise((resolve, reject) => {
      const key = this.host.platform.bytes(16)
      this.#sending.push({ update, key, ref: this.submit(update, key), resolve, reject })
    })
  }

  protected state(): Uint8Array {
    const bytes = new Uint8Array(8)
    new DataView(bytes.buffer).setBigUint64(0, BigInt(this.#last))
    return bytes
  }

  protected take(message: Received<'joined'>): void {
    this.incarnation = message.incarnation
    this.offset = message.offset
    this.#early = []
    for (const sending of this.#sending) sending.ref = this.submit(sending.update, sending.key)
    this.#page(message.updates, message.state)
  }

  protected paged(message: Received<'synced'>): void {
    this.#page(message.updates, message.state)
  }

  protected changed({ offset, update, sender, time }: Received<'changed'>): void {
    const logged = { offset, update, sender, time }
    if (this.#behind) this.#early.push(logged)
    else this.#hand([logged])
  }

  protected acked(ref: number, offset: number): void {
    this.#settle(ref)?.resolve(offset)
  }

  protected turnedDown(ref: number, refusal: Refused): void {
    this.#settle(ref)?.reject(refusal)
  }

  protected startOver(code: number, reason: string): void {
    this.#last = 0
    this.incarnation = 0
    this.#behind = false
    this.#early = []
    this.abandoned(new Refused(code, reason))
    this.emit('reset', code, reason)
  }

  protected dropped(): void {
    this.#behind = false
    for (const sending of this.#sending) sending.ref = null
  }

  protected abandoned(why: Refused | Closed): void {
    const sending = this.#sending
    this.#sending = []
    for (const { reject } of sending) reject(why)
  }

  /** One page of what was missed; behind the last one stands what came meanwhile. */
  #page(rows: readonly Uint8Array[], end: Uint8Array): void {
    let missed: Logged[]
    let last: number
    try {
      missed = rows.map(readRow)
      last = Number(new DataView(end.buffer, end.byteOffset, end.length).getBigUint64(0))
    } catch (problem) {
      this.lost()
      return this.joinRefused(new Refused(ErrorCode.tryAgain, `the server sent no page: ${String(problem)}`))
    }
    this.#hand(missed)
    this.#behind = missed.length > 0 && this.#last < last
    if (this.#behind) {
      const { channel } = this
      this.host.send({ type: 'sync', channel, ref: this.host.nextRef(), state: this.state() })
      return
    }
    const early = this.#early
    this.#early = []
    this.#hand(early)
  }

  #hand(logged: readonly Logged[]): void {
    const fresh = logged.filter((each) => each.offset > this.#last)
    if (fresh.length === 0) return
    this.#last = fresh[fresh.length - 1]!.offset
    const shown = fresh.filter((each) => each.update.length > 0)
    if (shown.length > 0) this.emit('updates', shown)
  }

  #settle(ref: number): Sending | undefined {
    const found = this.#sending.find((each) => each.ref === ref)
    if (found !== undefined) this.#sending = this.#sending.filter((each) => each !== found)
    return found
  }
}

function readRow(row: Uint8Array): Logged {
  const values = unpack(row)
  const [offset, sender, time, update] = Array.isArray(values) ? (values as readonly Value[]) : []
  if (
    typeof offset === 'number' &&
    typeof sender === 'string' &&
    typeof time === 'number' &&
    update instanceof Uint8Array
  ) {
    return { offset, sender, time, update }
  }
  throw new Malformed('a row is [offset, sender, time, update]')
}
