// Updates from elsewhere on their way into a document: one by one, or once per frame.
import type { Platform } from './platform.js'

/** Bytes that are not kept waiting for a frame. */
const AT_ONCE = 1024 * 1024

export class Inbox {
  readonly #platform: Platform
  readonly #apply: (updates: readonly Uint8Array[]) => void
  readonly #byFrame: boolean
  #waiting: Uint8Array[] = []
  #bytes = 0
  #stop: (() => void) | null = null

  constructor(platform: Platform, byFrame: boolean, apply: (updates: readonly Uint8Array[]) => void) {
    this.#platform = platform
    this.#byFrame = byFrame
    this.#apply = apply
  }

  add(update: Uint8Array): void {
    this.#waiting.push(update)
    this.#bytes += update.length
    if (!this.#byFrame || this.#bytes > AT_ONCE) this.flush()
    else this.#stop ??= this.#platform.frame(() => this.flush())
  }

  /** Apply what waits, now. */
  flush(): void {
    const updates = this.#waiting
    this.clear()
    if (updates.length > 0) this.#apply(updates)
  }

  /** Forget what waits. */
  clear(): void {
    this.#stop?.()
    this.#stop = null
    this.#waiting = []
    this.#bytes = 0
  }
}
