// The codec against the golden vectors, both ways, and what it refuses.
import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { comesBack } from '../src/wire/codes.js'
import { decode, encode, type ClientMessage } from '../src/wire/messages.js'
import { Malformed, pack, unpack, type Value } from '../src/wire/msgpack.js'
import { readClient } from './lab.js'

interface Vector {
  from: 'client' | 'server'
  message: { type: string; [name: string]: unknown }
  bytes: string
}

const vectors = JSON.parse(
  readFileSync(new URL('../../../protocol/vectors/native.json', import.meta.url), 'utf8'),
) as { messages: Vector[]; malformed: string[] }

const bytes = (hex: string): Uint8Array => new Uint8Array(Buffer.from(hex, 'hex'))

/** The vectors' JSON as values: `{hex}` is bytes, and names of types are as in the tables. */
function plain(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(plain)
  if (typeof value !== 'object' || value === null) return value
  if ('hex' in value) return bytes(value.hex as string)
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, plain(item)]))
}

function message(vector: Vector): { type: string } {
  const snake = vector.message.type.replace(/(?<=.)[A-Z]/g, (letter) => `_${letter}`).toLowerCase()
  return { ...(plain(vector.message) as object), type: snake }
}

const fromClient = vectors.messages.filter(({ from }) => from === 'client')
const fromServer = vectors.messages.filter(({ from }) => from === 'server')

describe('the golden vectors', () => {
  test('there are some for both sides', () => {
    expect(fromClient.length).toBeGreaterThan(10)
    expect(fromServer.length).toBeGreaterThan(15)
  })

  test.each(fromClient)('are written as they stand: $message.type $bytes', (vector) => {
    expect(Buffer.from(encode(message(vector) as ClientMessage)).toString('hex')).toBe(vector.bytes)
  })

  test.each(fromClient)('are read back as they were meant: $message.type $bytes', (vector) => {
    expect(readClient(bytes(vector.bytes))).toEqual(message(vector))
  })

  test.each(fromServer)('are read as they are meant: $message.type $bytes', (vector) => {
    expect(decode(bytes(vector.bytes))).toMatchObject(message(vector))
  })

  test.each(vectors.malformed.map((hex) => ({ hex })))('no message stands in $hex', ({ hex }) => {
    let read: unknown = null
    try {
      read = decode(bytes(hex))
    } catch (problem) {
      expect(problem).toBeInstanceOf(Malformed)
    }
    expect(read).toBeNull()
  })
})

describe('messages', () => {
  test('fields behind the known ones are ignored', () => {
    expect(decode(pack([42, 5, 'later']))).toEqual({ type: 'pong', ref: 5 })
  })

  test('trailing fields that were left out have their defaults', () => {
    const update = new Uint8Array([0, 0])
    expect(decode(pack([36, 17, update]))).toEqual({
      type: 'changed',
      channel: 17,
      update,
      offset: 0,
      sender: '',
      time: 0,
    })
  })

  test('a joined of an older server has no schema', () => {
    const old = [34, 1, 17, 'plain/a', 1, 0, ['view'], [], new Uint8Array([0]), new Uint8Array()]
    expect(decode(pack(old))).toMatchObject({ schema: 0 })
    expect(decode(pack([...old, 3]))).toMatchObject({ schema: 3 })
  })

  test('a message that this version does not know is none', () => {
    expect(decode(pack([99, 'whatever']))).toBeNull()
  })

  test.each([[[38, 17, 3]], [[38, 17, 3, 'x']], [[38, 17, 3, -1]], [[38, 17, 3, 1.5]], [[47, 17, [1]]], ['x'], [[]]])(
    '%j is refused',
    (values) => expect(() => decode(pack(values as Value))).toThrow(Malformed),
  )
})

describe('MessagePack', () => {
  const values: Value[] = [
    ...[0, 1, 127, 128, 255, 256, 65535, 65536, 2 ** 32 - 1, 2 ** 32, Number.MAX_SAFE_INTEGER],
    ...[-1, -32, -33, -128, -129, -32768, -32769, -(2 ** 31), -(2 ** 31) - 1, Number.MIN_SAFE_INTEGER],
    ...[0.5, -2.5, 1e300, Infinity, null, true, false, '', 'é😀', '\ufeffbom'],
    'x'.repeat(31),
    'x'.repeat(32),
    'x'.repeat(300),
    'x'.repeat(70_000),
    new Uint8Array(300).fill(7),
    new Uint8Array(70_000).fill(7),
    Array.from({ length: 20 }, (_, n) => n),
    Array.from({ length: 70_000 }, () => 0),
    { a: 1, nested: { b: [1, { c: null }] } },
    Object.fromEntries(Array.from({ length: 20 }, (_, n) => [`k${n}`, n])),
  ]

  test.each(values.map((value) => ({ value })))('comes back as it was', ({ value }) => {
    expect(unpack(pack(value))).toEqual(value)
  })

  test('entries that are undefined are left out', () => {
    expect(unpack(pack({ a: undefined, b: 1 }))).toEqual({ b: 1 })
  })

  test('an entry called __proto__ is an entry and changes nothing else', () => {
    const read = unpack(bytes('81a95f5f70726f746f5f5f81a57a6f6f6d7301')) as object
    expect(Object.getPrototypeOf(read)).toBe(Object.prototype)
    expect(Object.keys(read)).toEqual(['__proto__'])
  })

  test.each(['', '91', 'd9', 'd905aa', 'a1ff', 'c403ff', 'cf0020000000000001', 'c1', 'c7', '8101', '0000', 'ddffffffff'])(
    '%s is refused',
    (hex) => expect(() => unpack(bytes(hex))).toThrow(Malformed),
  )

  test('what is nested too deep is refused, written and read', () => {
    let deep: Value = 1
    for (let n = 0; n < 40; n++) deep = [deep]
    expect(() => pack(deep)).toThrow(Malformed)
    expect(() => unpack(bytes('91'.repeat(40) + '01'))).toThrow(Malformed)
  })
})

test.each([
  [1000, true],
  [1001, true],
  [1006, true],
  [1009, false],
  [1012, true],
  [1013, true],
  [3000, true],
  [3002, true],
  [3499, true],
  [3500, false],
  [3505, false],
  [4401, true],
  [4403, false],
  [4503, true],
])('after a close with %i a client comes back: %s', (code, back) => {
  expect(comesBack(code)).toBe(back)
})
