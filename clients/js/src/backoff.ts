// How long to wait before the next attempt.
import type { Platform } from './platform.js'

/**
 * Waiting times between attempts: each drawn from zero up to a bound that doubles. Drawing from zero
 * spreads the clients of a node that died over the whole interval, so that they do not come back in step.
 */
export class Backoff {
  readonly #platform: Platform
  readonly #first: number
  readonly #most: number
  #attempts = 0

  /** `first`: bound of the first wait; `most`: no bound is above this; both in seconds. */
  constructor(platform: Platform, first = 0.25, most = 30) {
    this.#platform = platform
    this.#first = first
    this.#most = most
  }

  /** Return how many seconds to wait before the next attempt. */
  next(): number {
    const bound = Math.min(this.#most, this.#first * 2 ** Math.min(this.#attempts, 60))
    this.#attempts += 1
    return this.#platform.random() * bound
  }

  /** Start over: an attempt has succeeded. */
  reset(): void {
    this.#attempts = 0
  }
}
