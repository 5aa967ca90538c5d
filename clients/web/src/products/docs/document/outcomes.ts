// What becomes of opening a document, and why it could not be.
import { ErrorCode, Refused } from '@parvis/client'
import { Refusal } from '@shell/api'

/**
 * opening: nothing to show yet. open: it is there. name: a guest says who they are first.
 * signIn: nobody is signed in, and there is no link. missing: not there, or not for this person.
 * link: the link does not work (any more). unreachable: no network, and no copy here. failed: for another reason.
 */
export type Phase = 'opening' | 'open' | 'name' | 'signIn' | 'missing' | 'link' | 'unreachable' | 'failed'
/** The phases in which there is nothing to show but why. */
export type Failure = Exclude<Phase, 'opening' | 'open' | 'name'>

/** Why an open document cannot be written, besides its role. */
export type Ended = 'deleted' | 'removed' | 'ended'

/** What the server answers for what is not there, or not for this person; it does not say which. */
const GONE: ReadonlySet<number> = new Set([403, 404, 410])
const GONE_ROOMS: ReadonlySet<number> = new Set([ErrorCode.roomNotFound, ErrorCode.roomDeleted, ErrorCode.permissionDenied])

/** Whether the server has said that there is no such document for this person. */
export const isGone = (error: unknown): boolean =>
  (error instanceof Refusal && GONE.has(error.status)) || (error instanceof Refused && GONE_ROOMS.has(error.code))

/** What to say of a document that could not be opened. `byLink`: the reader came by one. */
export function failureOf(error: unknown, byLink: boolean): Failure {
  if (isGone(error)) return byLink ? 'link' : 'missing'
  if (!(error instanceof Refusal)) return 'failed'
  if (error.status === 401) return 'signIn'
  return error.code === 'no_answer' || error.status >= 500 ? 'unreachable' : 'failed'
}
