// What waits to be written to the copy on this device.
import type { QueuedCommand, Rescue, Standing } from './kept.js'

/** What waits to be written. */
export interface Pending {
  updates: Uint8Array[]
  edit: number
  savedUpTo: number
  standing: Standing | null
  title: string | null
  added: QueuedCommand[]
  dropped: Set<string>
  startOver: { readonly rescue: Rescue | null } | null
  dropRescue: boolean
  forget: boolean
}

export function nothing(): Pending {
  return {
    updates: [],
    edit: 0,
    savedUpTo: 0,
    standing: null,
    title: null,
    added: [],
    dropped: new Set(),
    startOver: null,
    dropRescue: false,
    forget: false,
  }
}

export function isNothing(pending: Pending): boolean {
  return (
    pending.updates.length === 0 &&
    pending.edit === 0 &&
    pending.savedUpTo === 0 &&
    pending.standing === null &&
    pending.title === null &&
    pending.added.length === 0 &&
    pending.dropped.size === 0 &&
    pending.startOver === null &&
    !pending.dropRescue &&
    !pending.forget
  )
}

/** What could not be written, and what has come since. */
export function again(first: Pending, then: Pending): Pending {
  if (then.startOver !== null || then.forget) return then
  return {
    updates: [...first.updates, ...then.updates],
    edit: Math.max(first.edit, then.edit),
    savedUpTo: Math.max(first.savedUpTo, then.savedUpTo),
    standing: then.standing ?? first.standing,
    title: then.title ?? first.title,
    added: [...first.added, ...then.added].filter(({ id }) => !then.dropped.has(id)),
    dropped: new Set([...first.dropped, ...then.dropped]),
    startOver: first.startOver,
    dropRescue: first.dropRescue || then.dropRescue,
    forget: first.forget,
  }
}
