// Keys of updates: by them the server knows one that is sent again.
import type { Platform } from './platform.js'

/** Bytes of chance that a client's keys begin with. */
const START = 12

/** Makes keys of which each is used once: 12 bytes of chance, the same for all of one maker, and a number. */
export class UpdateKeys {
  readonly #start: Uint8Array
  readonly #next: () => number

  /** `next` brings a number that it brought never before. */
  constructor(platform: Platform, next: () => number) {
    this.#start = platform.bytes(START)
    this.#next = next
  }

  make(): Uint8Array {
    const key = new Uint8Array(START + 8)
    key.set(this.#start)
    new DataView(key.buffer).setBigUint64(START, BigInt(this.#next()))
    return key
  }
}
