// A document's edits on their way to the server: what is sent, sent again, and not taken.
import * as Y from 'yjs'
import { Edits } from './edits.js'
import { Refused } from './errors.js'
import { NOTHING, isEmpty, nothingDone } from './updates.js'

/** The part, as its sending sees it. */
export interface Sends {
  doc(): Y.Doc
  /** Whether the part is open on the present connection. */
  joined(): boolean
  /** Whether the server would take edits. */
  writable(): boolean
  /** Send an update and return its ref; null while the part is not joined. */
  submit(update: Uint8Array): number | null
  /** Try again after a while that grows. */
  later(callback: () => void): void
  /** The server did not take edits; called once until something changes. */
  refused(refusal: Refused): void
  /** Why edits would not be taken now. */
  whyNot(): Refused
}

export class Sending {
  readonly edits = new Edits()
  readonly #part: Sends
  #serverHas = NOTHING
  #outgoing: { update: Uint8Array; edit: number }[] = []
  #behind = false
  #told = false

  constructor(part: Sends) {
    this.#part = part
  }

  /** Whether all edits are, or are about to be, on their way. */
  get flows(): boolean {
    return this.edits.unsaved === 0 || (this.#part.writable() && !this.edits.refused && !this.#behind)
  }

  /** An edit was made; return its number. What one task edits travels as one update. */
  made(update: Uint8Array): number {
    const edit = this.edits.made()
    if (this.#part.joined() && this.#part.writable()) {
      this.#outgoing.push({ update, edit })
      if (this.#outgoing.length === 1) queueMicrotask(() => this.#send())
    } else this.notTaken()
    return edit
  }

  /** The part was joined, or the server asks: send what its `state` lacks. */
  joined(state: Uint8Array, resumed: boolean): void {
    this.#serverHas = state
    this.#told = false
    // A resumed copy may hold deletions of others that a crash took from the server, and state
    // vectors do not show deletions; so it is offered even if nothing here is unsaved.
    if (this.#part.writable() && (resumed || this.edits.unsaved > 0)) this.#offer(this.edits.unsaved > 0)
    else this.notTaken()
  }

  /** The server asks for whatever its `state` lacks. */
  asked(state: Uint8Array, evenIfEmpty: boolean): void {
    this.#serverHas = state
    if (evenIfEmpty || this.#part.writable()) this.#offer(evenIfEmpty)
  }

  /** This user may do more, or less. */
  accessChanged(): void {
    this.#told = false
    if (this.#part.writable() && this.edits.unsaved > 0) this.#offer(true)
    else this.notTaken()
  }

  turnedDown(ref: number, refusal: Refused): void {
    const edits = this.edits.turnedDown(ref, refusal)
    if (edits === null) return
    if (refusal.retryable) {
      this.#behind = true
      // The server asks for it when there is room again; should it not, this does.
      this.#part.later(() => {
        if (this.#behind) this.#offer(true)
      })
    } else if (edits.length > 0) this.#tell(refusal)
  }

  /** The connection is gone. */
  lost(): void {
    this.#outgoing = []
    this.#behind = false
    this.edits.lost()
  }

  /** The document was put away. */
  clear(): void {
    this.#outgoing = []
    this.#behind = false
    this.#serverHas = NOTHING
    this.edits.clear()
  }

  /** Say, once, that edits made here go nowhere, if so. */
  notTaken(): void {
    if (this.#part.joined() && this.edits.unsaved > 0 && !this.#part.writable()) this.#tell(this.#part.whyNot())
  }

  #tell(refusal: Refused): void {
    if (this.#told) return
    this.#told = true
    this.#part.refused(refusal)
  }

  #send(): void {
    const outgoing = this.#outgoing
    this.#outgoing = []
    if (outgoing.length === 0) return
    const updates = outgoing.map(({ update }) => update)
    const ref = this.#part.submit(updates.length === 1 ? updates[0]! : Y.mergeUpdates(updates))
    if (ref !== null) this.edits.sent(ref, outgoing.map(({ edit }) => edit))
  }

  /** Send what the server lacks: all that is unsaved, whatever became of it before. */
  #offer(evenIfEmpty: boolean): void {
    if (!this.#part.joined()) return
    this.#behind = false
    this.#outgoing = []
    const writable = this.#part.writable()
    const state = this.#serverHas.length > 0 ? this.#serverHas : undefined
    const lacking = writable ? Y.encodeStateAsUpdate(this.#part.doc(), state) : nothingDone()
    if (isEmpty(lacking) && !evenIfEmpty) return
    const ref = this.#part.submit(lacking)
    if (ref === null) return
    if (writable) this.edits.sent(ref)
    else this.edits.sent(ref, [])
  }
}
