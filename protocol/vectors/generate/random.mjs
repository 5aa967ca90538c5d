// Chance that comes out the same each time, so that generated vectors change only on purpose.

export class Random {
  #state

  constructor (seed) {
    this.#state = seed >>> 0
  }

  // A number from 0 up to, not including, 1 (mulberry32).
  next () {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0
    let t = this.#state
    t = Math.imul(t ^ (t >>> 15), t | 1)
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61)
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296
  }

  below (n) {
    return Math.floor(this.next() * n)
  }

  of (list) {
    return list[this.below(list.length)]
  }

  chance (p) {
    return this.next() < p
  }
}
