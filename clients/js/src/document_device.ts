// A document's copy on this device, and the other tabs that show it.
import * as Y from 'yjs'
import type { Holder, Kept, Loaded } from './device/kept.js'
import { DeviceError } from './errors.js'
import { reportUncaught } from './events.js'
import type { Host } from './part.js'
import { isEmpty } from './updates.js'

/** Opens the copy on this device; `device/index.ts` has the one for IndexedDB. */
export type OpenKept = (storage: string, name: string, host: Host, holder: Holder) => Kept

/** Seconds after another tab's edits until it is made sure that the server has them. */
const CHECK_AFTER = 5

/** The document, as its copy sees it. */
export interface Copied {
  doc(): Y.Doc
  /** Edits made here that the server has not acknowledged. */
  unsaved(): number
  /** Whether edits made here can be sent now. */
  sends(): boolean
  /** Take in what came from this device. */
  apply(update: Uint8Array): void
  /** Answer for an edit as if it had been made here. */
  edited(update: Uint8Array): void
  /** Ask the server what it has, so that it gets what it lacks. */
  compare(): void
  /** Begin anew, with nothing kept. */
  clear(): void
  look(): void
}

export class DocumentDevice implements Holder {
  /** The copy; null where nothing is kept. */
  readonly kept: Kept | null
  readonly #host: Host
  readonly #document: Copied
  #stopCheck: (() => void) | null = null

  /** `open` is null for a document that is not to be kept. */
  constructor(host: Host, name: string, document: Copied, open: OpenKept | null) {
    this.#host = host
    this.#document = document
    this.kept = host.storage === null || open === null ? null : open(host.storage, name, host, this)
  }

  /** What the copy holds; null if there is none, or none that can be read: then the session is told why. */
  async load(): Promise<Loaded | null> {
    try {
      return (await this.kept?.load()) ?? null
    } catch (problem) {
      if (problem instanceof DeviceError) this.#host.deviceFailed(problem)
      else reportUncaught(problem)
      return null
    }
  }

  /** The connection is gone. */
  lost(): void {
    this.#stopCheck?.()
    this.#stopCheck = null
  }

  // For the copy

  stateVector(): Uint8Array {
    return Y.encodeStateVector(this.#document.doc())
  }

  lackedBy(state: Uint8Array): Uint8Array | null {
    const lacking = Y.encodeStateAsUpdate(this.#document.doc(), state)
    return isEmpty(lacking) ? null : lacking
  }

  sending(): boolean {
    return this.#document.unsaved() === 0 || this.#document.sends()
  }

  everything(): Uint8Array {
    return Y.encodeStateAsUpdate(this.#document.doc())
  }

  /** Another tab edited; if it cannot send that, this one answers for it. */
  edited(update: Uint8Array, sent: boolean): void {
    let news = false
    const heard = (): void => {
      news = true
    }
    const doc = this.#document.doc()
    doc.on('update', heard)
    this.#document.apply(update)
    doc.off('update', heard)
    if (!news && doc.store.pendingStructs === null) return
    if (sent) this.#checkSoon()
    else this.#document.edited(update)
  }

  /** Another tab was told to throw the copy away: what this one shows came from the same copy. */
  cleared(): void {
    this.#document.clear()
  }

  keptChanged(): void {
    this.#document.look()
  }

  failed(problem: DeviceError): void {
    this.#host.deviceFailed(problem)
  }

  /** The tab that edited may be gone before the server had it; then this one brings it. */
  #checkSoon(): void {
    this.#stopCheck?.()
    this.#stopCheck = this.#host.platform.after(CHECK_AFTER, () => {
      this.#stopCheck = null
      if (this.#document.sends()) this.#document.compare()
    })
  }
}
