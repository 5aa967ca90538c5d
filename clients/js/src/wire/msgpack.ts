// MessagePack, the part of it that the wire uses (SPEC.md section 5): small, strict, no options.
//
// Own code instead of a package: a frame is a few types of value, a client must refuse what lies
// outside them anyway, and this is a fifth of the size of the smallest package that would do.

/** What signals, commands and their answers carry: at most 32 levels deep, whole numbers below 2^53. */
export type Value =
  | null
  | boolean
  | number
  | string
  | Uint8Array
  | readonly Value[]
  | { readonly [key: string]: Value | undefined }

/** Bytes that are no MessagePack, or a value that has none. */
export class Malformed extends Error {
  override name = 'Malformed'
}

/** Levels of arrays and maps inside each other; a frame's own array and a value's 32. */
const DEPTH = 34
const HIGH = 2 ** 32

const utf8 = new TextEncoder()
const text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/** Return the MessagePack of a value. Whole numbers become integers, others float64; map entries that are undefined are left out. */
export function pack(value: Value): Uint8Array {
  const writer = new Writer()
  writer.value(value, 0)
  return writer.done()
}

/** Return the one value that the bytes hold. Binary parts are views of `bytes`, not copies. */
export function unpack(bytes: Uint8Array): Value {
  const reader = new Reader(bytes)
  const value = reader.value(0)
  reader.end()
  return value
}

class Writer {
  #bytes = new Uint8Array(256)
  #view = new DataView(this.#bytes.buffer)
  #at = 0

  done(): Uint8Array {
    return this.#bytes.slice(0, this.#at)
  }

  value(value: Value, depth: number): void {
    if (depth > DEPTH) throw new Malformed(`a value is nested more than ${DEPTH} levels deep`)
    if (value === null || value === undefined) this.#byte(0xc0)
    else if (typeof value === 'boolean') this.#byte(value ? 0xc3 : 0xc2)
    else if (typeof value === 'number') this.#number(value)
    else if (typeof value === 'string') this.#string(value)
    else if (value instanceof Uint8Array) {
      this.#head(value.length, -1, 0xc4)
      this.#raw(value)
    } else if (isList(value)) {
      this.#head(value.length, 0x90, 0xdb)
      for (const item of value) this.value(item, depth + 1)
    } else if (typeof value === 'object') {
      const entries = Object.entries(value).filter(([, item]) => item !== undefined)
      this.#head(entries.length, 0x80, 0xdd)
      for (const [key, item] of entries) {
        this.#string(key)
        this.value(item as Value, depth + 1)
      }
    } else throw new Malformed(`${typeof value} cannot be sent`)
  }

  #number(value: number): void {
    if (!Number.isSafeInteger(value) || Object.is(value, -0)) {
      this.#room(9)
      this.#byte(0xcb)
      this.#view.setFloat64(this.#at, value)
      this.#at += 8
    } else if (value >= 0) {
      if (value < 0x80) this.#byte(value)
      else if (value < 0x100) this.#uint(0xcc, 1, value)
      else if (value < 0x10000) this.#uint(0xcd, 2, value)
      else if (value < HIGH) this.#uint(0xce, 4, value)
      else this.#int64(0xcf, value)
    } else if (value >= -0x20) this.#byte(value + 0x100)
    else if (value >= -0x80) this.#uint(0xd0, 1, value + 0x100)
    else if (value >= -0x8000) this.#uint(0xd1, 2, value + 0x10000)
    else if (value >= -0x80000000) this.#uint(0xd2, 4, value + HIGH)
    else this.#int64(0xd3, value)
  }

  #string(value: string): void {
    const encoded = utf8.encode(value)
    if (encoded.length < 32) this.#byte(0xa0 + encoded.length)
    else this.#head(encoded.length, -1, 0xd9)
    this.#raw(encoded)
  }

  /** A length: inside the first byte if `short` has room for it (15), else behind 8, 16 or 32 bits. */
  #head(length: number, short: number, long: number): void {
    if (short >= 0 && length < 16) this.#byte(short + length)
    else if (short < 0 && length < 0x100) this.#uint(long, 1, length)
    else if (length < 0x10000) this.#uint(long + 1, 2, length)
    else this.#uint(long + 2, 4, length)
  }

  #uint(tag: number, size: 1 | 2 | 4, value: number): void {
    this.#room(5)
    this.#byte(tag)
    if (size === 1) this.#view.setUint8(this.#at, value)
    else if (size === 2) this.#view.setUint16(this.#at, value)
    else this.#view.setUint32(this.#at, value)
    this.#at += size
  }

  #int64(tag: number, value: number): void {
    this.#room(9)
    this.#byte(tag)
    this.#view.setBigInt64(this.#at, BigInt(value))
    this.#at += 8
  }

  #byte(value: number): void {
    this.#room(1)
    this.#bytes[this.#at++] = value
  }

  #raw(bytes: Uint8Array): void {
    this.#room(bytes.length)
    this.#bytes.set(bytes, this.#at)
    this.#at += bytes.length
  }

  #room(more: number): void {
    if (this.#at + more <= this.#bytes.length) return
    const grown = new Uint8Array(Math.max(this.#bytes.length * 2, this.#at + more))
    grown.set(this.#bytes.subarray(0, this.#at))
    this.#bytes = grown
    this.#view = new DataView(grown.buffer)
  }
}

class Reader {
  readonly #bytes: Uint8Array
  readonly #view: DataView
  #at = 0

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  }

  end(): void {
    if (this.#at !== this.#bytes.length) throw new Malformed('bytes behind the end')
  }

  value(depth: number): Value {
    if (depth > DEPTH) throw new Malformed(`nested more than ${DEPTH} levels deep`)
    const tag = this.#uint(1)
    if (tag < 0x80) return tag
    if (tag < 0x90) return this.#map(tag & 0x0f, depth)
    if (tag < 0xa0) return this.#array(tag & 0x0f, depth)
    if (tag < 0xc0) return this.#string(tag & 0x1f)
    if (tag >= 0xe0) return tag - 0x100
    switch (tag) {
      case 0xc0:
        return null
      case 0xc2:
        return false
      case 0xc3:
        return true
      case 0xc4:
        return this.#take(this.#uint(1))
      case 0xc5:
        return this.#take(this.#uint(2))
      case 0xc6:
        return this.#take(this.#uint(4))
      case 0xca:
        return this.#view.getFloat32(this.#skip(4))
      case 0xcb:
        return this.#view.getFloat64(this.#skip(8))
      case 0xcc:
        return this.#uint(1)
      case 0xcd:
        return this.#uint(2)
      case 0xce:
        return this.#uint(4)
      case 0xcf:
        return this.#safe(this.#view.getBigUint64(this.#skip(8)))
      case 0xd0:
        return this.#view.getInt8(this.#skip(1))
      case 0xd1:
        return this.#view.getInt16(this.#skip(2))
      case 0xd2:
        return this.#view.getInt32(this.#skip(4))
      case 0xd3:
        return this.#safe(this.#view.getBigInt64(this.#skip(8)))
      case 0xd9:
        return this.#string(this.#uint(1))
      case 0xda:
        return this.#string(this.#uint(2))
      case 0xdb:
        return this.#string(this.#uint(4))
      case 0xdc:
        return this.#array(this.#uint(2), depth)
      case 0xdd:
        return this.#array(this.#uint(4), depth)
      case 0xde:
        return this.#map(this.#uint(2), depth)
      case 0xdf:
        return this.#map(this.#uint(4), depth)
      default:
        throw new Malformed(`0x${tag.toString(16)} stands for nothing on this wire`)
    }
  }

  #array(length: number, depth: number): Value[] {
    this.#promised(length)
    const items: Value[] = []
    for (let n = 0; n < length; n++) items.push(this.value(depth + 1))
    return items
  }

  #map(length: number, depth: number): { [key: string]: Value } {
    this.#promised(length * 2)
    const entries: [string, Value][] = []
    for (let n = 0; n < length; n++) {
      const key = this.value(depth + 1)
      if (typeof key !== 'string') throw new Malformed('a map has a key that is no string')
      entries.push([key, this.value(depth + 1)])
    }
    return Object.fromEntries(entries) // defines even "__proto__" as an entry like any other
  }

  #string(length: number): string {
    try {
      return text.decode(this.#take(length))
    } catch (problem) {
      throw problem instanceof Malformed ? problem : new Malformed('a string is not UTF-8')
    }
  }

  #safe(value: bigint): number {
    const number = Number(value)
    if (!Number.isSafeInteger(number)) throw new Malformed('an integer beyond 2^53')
    return number
  }

  /** Refuse a count that claims more than the bytes that are left. */
  #promised(items: number): void {
    if (items > this.#bytes.length - this.#at) throw new Malformed('runs past the end')
  }

  #take(length: number): Uint8Array {
    const from = this.#skip(length)
    return this.#bytes.subarray(from, from + length)
  }

  #uint(size: 1 | 2 | 4): number {
    const at = this.#skip(size)
    if (size === 1) return this.#view.getUint8(at)
    return size === 2 ? this.#view.getUint16(at) : this.#view.getUint32(at)
  }

  #skip(length: number): number {
    const at = this.#at
    if (at + length > this.#bytes.length) throw new Malformed('runs past the end')
    this.#at = at + length
    return at
  }
}

function isList(value: object): value is readonly Value[] {
  return Array.isArray(value)
}
