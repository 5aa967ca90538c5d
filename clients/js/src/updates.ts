// Yjs updates: empty ones, and many applied as one.
import * as Y from 'yjs'
import { reportUncaught } from './events.js'

export const NOTHING: Uint8Array = new Uint8Array()

/** An update that changes nothing. */
export function nothingDone(): Uint8Array {
  return new Uint8Array([0, 0])
}

/** Whether an update changes nothing, to any document. */
export function isEmpty(update: Uint8Array): boolean {
  return update.length === 0 || (update.length === 2 && update[0] === 0 && update[1] === 0)
}

/**
 * Apply updates in one transaction and return what went wrong with them, null if nothing did. A document
 * that an update broke is of no use any more. Errors of the document's observers are the application's.
 */
export function applyTogether(doc: Y.Doc, updates: readonly Uint8Array[], origin: unknown): { readonly problem: unknown } | null {
  let broken: { readonly problem: unknown } | null = null
  const apply = (): void => {
    try {
      for (const update of updates) Y.applyUpdate(doc, update, origin)
    } catch (problem) {
      broken = { problem }
    }
  }
  try {
    Y.transact(doc, apply, origin, false)
  } catch (problem) {
    reportUncaught(problem)
  }
  return broken
}

export function hex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('')
}
