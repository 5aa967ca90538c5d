// The messages of the native dialect as tables (SPEC.md section 6): numbers, fields, their order.
// Types, encoder and decoder all follow from the tables.
import { Malformed, pack, unpack, type Value } from './msgpack.js'

/** One field of a message: what it accepts, and what it is if a sender left it out. */
interface Field<T> {
  readonly read: (value: Value) => T
  readonly missing?: T
}

type Optional<T> = Field<T> & { readonly missing: T }

const EMPTY: Uint8Array = new Uint8Array()

function field<T>(what: string, accepts: (value: Value) => value is Value & T): Field<T> {
  return {
    read(value) {
      if (!accepts(value)) throw new Malformed(`expected ${what}`)
      return value
    },
  }
}

function or<T>(kind: Field<T>, missing: T): Optional<T> {
  return { read: kind.read, missing }
}

const isBytes = (value: Value): value is Uint8Array => value instanceof Uint8Array
const isText = (value: Value): value is string => typeof value === 'string'

const int = field<number>(
  'an integer from 0 to 2^53 - 1',
  (value): value is number => Number.isSafeInteger(value) && (value as number) >= 0,
)
const seconds = field<number>(
  'a number of seconds',
  (value): value is number => typeof value === 'number' && Number.isFinite(value),
)
const bool = field<boolean>('a boolean', (value): value is boolean => typeof value === 'boolean')
const str = field<string>('a string', isText)
const bin = field<Uint8Array>('bytes', isBytes)
const texts = field<readonly string[]>(
  'a list of strings',
  (value): value is string[] => Array.isArray(value) && value.every(isText),
)
const bins = field<readonly Uint8Array[]>(
  'a list of bytes',
  (value): value is Uint8Array[] => Array.isArray(value) && value.every(isBytes),
)
const any: Optional<Value> = { read: (value) => value, missing: null }
const map = field<{ readonly [key: string]: Value }>(
  'a map',
  (value): value is { [key: string]: Value } =>
    typeof value === 'object' && value !== null && !Array.isArray(value) && !isBytes(value),
)

export const CLIENT_MESSAGES = {
  hello: [1, { version: or(int, 1), ticket: str, client: or(str, '') }],
  join: [2, { ref: int, room: str, state: or(bin, EMPTY), incarnation: or(int, 0), schema: or(int, 0) }],
  leave: [3, { channel: int }],
  update: [4, { channel: int, ref: int, update: bin, key: or(bin, EMPTY) }],
  sync: [5, { channel: int, ref: int, state: bin }],
  awareness: [6, { channel: int, states: bin }],
  signal: [7, { channel: int, ref: int, name: str, body: any }],
  command: [8, { channel: int, ref: int, name: str, body: any }],
  refresh: [9, { ref: int, ticket: str }],
  ping: [10, { ref: int }],
  history: [11, { channel: int, ref: int, question: str, body: any }],
} as const

export const SERVER_MESSAGES = {
  awareness: [6, { channel: int, states: bin }],
  welcome: [33, { session: str, user: map, expires: seconds, limits: map, server: or(str, '') }],
  joined: [
    34,
    {
      ref: int,
      channel: int,
      room: str,
      incarnation: int,
      offset: int,
      access: texts,
      updates: bins,
      state: bin,
      awareness: or(bin, EMPTY),
      schema: or(int, 0),
    },
  ],
  left: [35, { channel: int, code: int, reason: or(str, '') }],
  changed: [36, { channel: int, update: bin, offset: or(int, 0), sender: or(str, ''), time: or(seconds, 0) }],
  synced: [37, { channel: int, ref: int, updates: bins, state: bin }],
  ack: [38, { channel: int, ref: int, offset: int }],
  signaled: [39, { channel: int, name: str, body: any, sender: or(str, '') }],
  answer: [40, { channel: int, ref: int, body: any, offset: or(int, 0) }],
  refreshed: [41, { ref: int, expires: seconds }],
  pong: [42, { ref: int }],
  refuse: [43, { channel: int, ref: int, code: int, reason: or(str, '') }],
  error: [44, { code: int, reason: or(str, '') }],
  resync: [45, { channel: int, state: bin }],
  reset: [46, { channel: int, incarnation: int, code: int, reason: or(str, '') }],
  access_changed: [47, { channel: int, access: texts }],
  unsaved: [48, { channel: int, waiting: bool }],
  drain: [49, { within: seconds, reason: or(str, '') }],
} as const

type Table = { readonly [type: string]: readonly [number, { readonly [name: string]: Field<unknown> }] }
type Read<F> = F extends Field<infer T> ? T : never
type Given<F> = { [K in keyof F as F[K] extends { missing: unknown } ? never : K]: Read<F[K]> }

/** A table's messages as objects: `{ type: 'ack', channel, ref, offset }`. */
type Messages<T extends Table> = {
  [K in keyof T]: { readonly type: K } & { readonly [N in keyof T[K][1]]: Read<T[K][1][N]> }
}
type Sent<T extends Table> = {
  [K in keyof T]: { readonly type: K } & Readonly<Given<T[K][1]>> & {
      readonly [N in keyof T[K][1]]?: Read<T[K][1][N]>
    }
}

type ServerTypes = Messages<typeof SERVER_MESSAGES>
/** A message as it came; fields that the sender left out have their defaults. */
export type ServerMessage = ServerTypes[keyof ServerTypes]
export type Received<T extends keyof ServerTypes> = ServerTypes[T]

type ClientTypes = Sent<typeof CLIENT_MESSAGES>
/** A message to send. */
export type ClientMessage = ClientTypes[keyof ClientTypes]

const byNumber = new Map(
  Object.entries(SERVER_MESSAGES as Table).map(([type, [number, fields]]) => [
    number,
    { type, fields: Object.entries(fields) },
  ]),
)

/** Return the frame of a message. */
export function encode(message: ClientMessage): Uint8Array {
  const [number, fields] = (CLIENT_MESSAGES as Table)[message.type]!
  const given = message as unknown as { readonly [name: string]: Value | undefined }
  const values: Value[] = [number]
  for (const [name, { missing }] of Object.entries(fields)) {
    values.push(given[name] ?? (missing as Value | undefined) ?? null)
  }
  return pack(values)
}

/** Return the message in a frame; null if it is one that this version does not know (SPEC.md section 9). Throws `Malformed`. */
export function decode(frame: Uint8Array): ServerMessage | null {
  const values = unpack(frame)
  if (!Array.isArray(values) || !Number.isSafeInteger(values[0])) {
    throw new Malformed('expected an array that starts with a number')
  }
  const kind = byNumber.get(values[0] as number)
  if (kind === undefined) return null
  const message: { [name: string]: unknown } = { type: kind.type }
  kind.fields.forEach(([name, { read, missing }], index) => {
    const value = (values as readonly Value[])[index + 1]
    if (value !== undefined) message[name] = read(value)
    else if (missing !== undefined) message[name] = missing
    else throw new Malformed(`${kind.type} without ${name}`)
  })
  return message as unknown as ServerMessage
}
