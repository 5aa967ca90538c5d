// What a document part asks of its copy on this device; `copy.ts` keeps one in IndexedDB.
import type { Value } from '../wire/msgpack.js'
import type { DeviceError } from '../errors.js'

/** A whole document that was put aside, with what of it never reached the server. */
export interface Rescue {
  /** A Yjs update: the document as it was here. It belongs to an earlier life: show it, never merge it. */
  readonly update: Uint8Array
  readonly incarnation: number
  /** Why the server did not want it, SPEC.md section 7. */
  readonly code: number
  readonly reason: string
  /** Seconds since 1970 by this device's clock. */
  readonly date: number
}

/** A command that waits for its answer. `id` is this device's own. */
export interface QueuedCommand {
  readonly id: string
  readonly name: string
  readonly body: Value
}

/** What the server said when the part was joined last. */
export interface Standing {
  readonly incarnation: number
  readonly access: readonly string[]
  readonly schema: number
  readonly offset: number
}

/** What was found on this device. */
export interface Loaded extends Standing {
  readonly updates: readonly Uint8Array[]
  /** Whether something in it never reached the server, as far as this device knows. */
  readonly unsaved: boolean
  readonly commands: readonly QueuedCommand[]
  readonly rescue: Rescue | null
}

/** Who holds a copy. */
export interface Holder {
  /** The state vector of what this tab shows. */
  stateVector(): Uint8Array
  /** What a tab with this state lacks; null if nothing. */
  lackedBy(state: Uint8Array): Uint8Array | null
  /** Whether the server has all that this tab shows, or is being sent it. */
  sending(): boolean
  /** The document as one update, to store it anew. */
  everything(): Uint8Array
  /** Another tab edited. `sent`: that tab has sent it to the server. */
  edited(update: Uint8Array, sent: boolean): void
  /** The copy was cleared under this tab, which must start over. */
  cleared(): void
  /** Something was written, or could not be. */
  keptChanged(): void
  failed(problem: DeviceError): void
}

/** One part's copy on this device, as one tab holds it. Writes are queued and never throw: `keeps` tells. */
export interface Kept {
  /** Read the copy; null if there is none. Rejects with `DeviceError`. */
  load(): Promise<Loaded | null>
  /** Whether all was written up to this edit, queued commands included. */
  keeps(edit: number): boolean
  /** Whether something is being written. */
  readonly writing: boolean
  /** Keep an update; `edit`: its number if this tab answers for it, else 0. */
  append(update: Uint8Array, edit: number): void
  /** Show an edit of this tab to others; `sent`: it is on its way to the server. */
  show(update: Uint8Array, sent: boolean): void
  /** Everything up to this edit is on the server. */
  allSaved(edit: number): void
  joined(standing: Standing): void
  addCommand(command: QueuedCommand): void
  dropCommand(id: string): void
  /** Throw the copy away, and put aside what is in `rescue`. */
  startOver(rescue: Rescue | null): void
  dropRescue(): void
  /** Note the title, for lists of what is kept. */
  describe(title: string): void
  /** Delete the copy, unless something in it is unsaved. */
  forget(): void
  /** Returns when everything was written, or could not be. */
  settled(): Promise<void>
  close(): void
}
