// What applications see of a document part, beside the part itself.
import type * as Y from 'yjs'
import type { CommandOutcome } from './commands.js'
import type { Rescue } from './device/kept.js'
import type { PartEvents } from './part.js'

/**
 * Where the newest edits are. `saved`: all on the server's disk. `saving`: on their way. `device`: kept
 * in IndexedDB, not on the server. `unsaved`: in this page's memory only.
 */
export type Saved = 'saved' | 'saving' | 'device' | 'unsaved'

export interface DocumentOptions {
  /** A part of the room, e.g. `comments`; the main part without it. */
  readonly part?: string
  /** Version of the room type's schema that the application knows; 0: none. */
  readonly schema?: number
  /** The document to fill; what is in it already counts as an edit. A fresh one without it. */
  readonly doc?: Y.Doc
  /** Keep a copy on this device, if the session has a `storage`; true by default. */
  readonly offline?: boolean
  /** `frame`: what others do is gathered and applied once per painted frame, in one transaction. */
  readonly batch?: 'frame'
  /** The capability that writing needs, `edit` by default; null: only the server writes this part. */
  readonly write?: string | null
}

/** The schema that the application knows, and the server's; 0 is none. */
export interface Schema {
  readonly mine: number
  readonly server: number
  /** If false, this client may only look: it never sends updates. */
  readonly matches: boolean
}

/** Work that the server does not take. It stays in `doc`, and on this device. */
export interface RefusedEdits {
  readonly code: number
  readonly reason: string
}

export interface ResetDocument {
  /** The document from now on, empty until it is joined again. */
  readonly doc: Y.Doc
  /** The one before: nothing that happens in it counts any more. */
  readonly old: Y.Doc
  /** The old one as an update, if something in it never reached the server. */
  readonly rescued: Rescue | null
  readonly code: number
  readonly reason: string
}

export type DocumentEvents = PartEvents & {
  saved: [saved: Saved]
  schema: [schema: Schema]
  /** Edits made here were not taken. Said once until something changes. */
  refused: [edits: RefusedEdits]
  /** `doc` and `awareness` are others now: bind to them anew. */
  reset: [reset: ResetDocument]
  /** A command sent with `queue` was answered, maybe one of an earlier visit. */
  command: [outcome: CommandOutcome]
}
