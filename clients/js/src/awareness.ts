// A part's awareness: y-protocols' states, with the server as the judge of who is here.
import * as decoding from 'lib0/decoding'
import * as encoding from 'lib0/encoding'
import {
  Awareness,
  applyAwarenessUpdate,
  encodeAwarenessUpdate,
  removeAwarenessStates,
} from 'y-protocols/awareness'
import type * as Y from 'yjs'
import type { Platform } from './platform.js'

/** Seconds between two announcements of the own state, at least. */
const PAUSE = 0.05
/** Seconds after which an unchanged own state is sent again: stock clients forget others after 30. */
const RENEWAL = 15

/**
 * Differs from its base in what decides that somebody has gone. The base compares wall clocks, which
 * people set and devices get wrong; here the server says who is here, since it sees every socket end,
 * and a lost connection takes the others away until it is back.
 */
export class PartAwareness extends Awareness {
  readonly #platform: Platform
  readonly #send: (states: Uint8Array) => void
  #open = false
  #shown = false
  #last = -Infinity
  #stopPause: (() => void) | null = null
  #stopRenewal: (() => void) | null = null

  /** `send` puts an awareness update on its way. Nothing is sent before there is something to show. */
  constructor(doc: Y.Doc, platform: Platform, send: (states: Uint8Array) => void) {
    super(doc)
    clearInterval(this._checkInterval as number)
    this.#platform = platform
    this.#send = send
    this.on('update', (_changes: unknown, origin: unknown) => {
      if (origin === 'local') this.#soon()
    })
  }

  /** The part was joined: take everyone's states, and show our own. */
  opened(states: Uint8Array): void {
    this.#open = true
    this.heard(states)
    if (this.#worthShowing()) this.#announce()
    this.#renewLater()
  }

  /** The connection is gone, and nobody can say who is still there. */
  lost(): void {
    this.#open = false
    this.#stop()
    const others = [...this.meta.keys()].filter((client) => client !== this.clientID)
    removeAwarenessStates(this, others, 'lost')
    // A node that was started again counts from what clients tell it.
    for (const client of others) this.meta.delete(client)
  }

  /** Merge the states that came. What is malformed costs nothing to pass over. */
  heard(states: Uint8Array): void {
    if (states.length === 0) return
    try {
      const others = this.#withoutOwn(states)
      if (others !== null) applyAwarenessUpdate(this, others, 'server')
    } catch {
      // A state that is no JSON: its client shows nothing.
    }
  }

  override destroy(): void {
    this.#open = false
    this.#stop()
    super.destroy()
  }

  /** The server sends states back to their sender, late and with clocks of its own: they must not undo newer ones. */
  #withoutOwn(states: Uint8Array): Uint8Array | null {
    const decoder = decoding.createDecoder(states)
    const encoder = encoding.createEncoder()
    const total = decoding.readVarUint(decoder)
    let others = 0
    for (let n = 0; n < total; n++) {
      const client = decoding.readVarUint(decoder)
      const clock = decoding.readVarUint(decoder)
      const state = decoding.readVarString(decoder)
      if (client === this.clientID) this.#heardOfOwn(clock, state)
      else {
        others += 1
        encoding.writeVarUint(encoder, client)
        encoding.writeVarUint(encoder, clock)
        encoding.writeVarString(encoder, state)
      }
    }
    if (others === 0) return null
    const head = encoding.createEncoder()
    encoding.writeVarUint(head, others)
    encoding.writeUint8Array(head, encoding.toUint8Array(encoder))
    return encoding.toUint8Array(head)
  }

  #heardOfOwn(clock: number, state: string): void {
    const own = this.meta.get(this.clientID)
    if (own === undefined || clock < own.clock) return
    own.clock = clock
    if (state === 'null' && this.#worthShowing()) this.#soon() // somebody says we are gone
  }

  #worthShowing(): boolean {
    const state = this.getLocalState()
    return this.#shown || (state !== null && Object.keys(state).length > 0)
  }

  #soon(): void {
    if (!this.#open || this.#stopPause !== null || !this.#worthShowing()) return
    const wait = this.#last + PAUSE - this.#platform.now()
    if (wait <= 0) this.#announce()
    else this.#stopPause = this.#platform.after(wait, () => this.#announce())
  }

  #announce(): void {
    this.#stopPause?.()
    this.#stopPause = null
    const own = this.meta.get(this.clientID)
    if (own === undefined) return
    own.clock += 1
    this.#last = this.#platform.now()
    this.#shown = this.getLocalState() !== null
    this.#send(encodeAwarenessUpdate(this, [this.clientID]))
  }

  #renewLater(): void {
    this.#stopRenewal?.()
    this.#stopRenewal = this.#platform.after(RENEWAL, () => {
      if (this.#shown) this.#announce()
      this.#renewLater()
    })
  }

  #stop(): void {
    this.#stopPause?.()
    this.#stopRenewal?.()
    this.#stopPause = this.#stopRenewal = null
  }
}
