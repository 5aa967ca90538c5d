// What of a document was edited here and has no ack: numbers only, no I/O, no clock.
import type { Refused } from './errors.js'

/**
 * Local edits, counted from 1, and the refs of the updates that carry them. What keeps edits from
 * being lost is simple: the document holds them, and after every break the server is sent all that it
 * says it lacks, under one ref that stands for every edit without an ack. A server acks an update that
 * adds nothing only when what it holds is durable, so that ref's ack is worth as much as those it replaces.
 */
export class Edits {
  /** How many local edits there were: the number of the last one. */
  count = 0
  readonly #unsaved = new Set<number>()
  readonly #refused = new Map<number, Refused>()
  readonly #covers = new Map<number, readonly number[]>()

  /** How many have no ack. */
  get unsaved(): number {
    return this.#unsaved.size
  }

  /** Whether some were turned down for good, and the server has not asked for them again. */
  get refused(): boolean {
    return this.#refused.size > 0
  }

  /** Return the number of one more edit. */
  made(): number {
    this.count += 1
    this.#unsaved.add(this.count)
    return this.count
  }

  /** An update is on its way that carries these edits; all unsaved ones if none are named. */
  sent(ref: number, edits?: readonly number[]): void {
    if (edits === undefined) this.#refused.clear()
    this.#covers.set(ref, edits ?? [...this.#unsaved])
  }

  /** An update is durable; return whether that saved anything. */
  acked(ref: number): boolean {
    const covered = this.#covers.get(ref) ?? []
    this.#covers.delete(ref)
    const before = this.#unsaved.size
    for (const edit of covered) this.#unsaved.delete(edit)
    return this.#unsaved.size < before
  }

  /** An update was turned down; return the edits it carried, or null if it is unknown. */
  turnedDown(ref: number, refusal: Refused): readonly number[] | null {
    const covered = this.#covers.get(ref)
    if (covered === undefined) return null
    this.#covers.delete(ref)
    if (!refusal.retryable) for (const edit of covered) this.#refused.set(edit, refusal)
    return covered
  }

  /** The connection is gone, and with it every answer that was owed. */
  lost(): void {
    this.#covers.clear()
  }

  /** The document was put away, and its edits with it. */
  clear(): void {
    this.#unsaved.clear()
    this.#refused.clear()
    this.#covers.clear()
  }
}
