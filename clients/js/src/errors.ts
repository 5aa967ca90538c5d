// What goes wrong for a client.
//
//   ParvisError           base of everything this package throws
//   ├── Disconnected      there is no connection now, or it ended before the answer
//   ├── Closed            the session has ended for good
//   ├── Refused           the server said no to one request
//   └── DeviceError       what is kept on this device cannot be read or written
import { isRetryable } from './wire/codes.js'

/** Base of everything this package throws. */
export class ParvisError extends Error {
  override name = 'ParvisError'
  readonly code: number | string
  readonly reason: string

  constructor(code: number | string, reason: string) {
    super(`${reason || 'no reason given'} (${code})`)
    this.code = code
    this.reason = reason
  }
}

/** There is no connection, or it ended before the answer came: whether the request was seen is then unknown. */
export class Disconnected extends ParvisError {
  override name = 'Disconnected'
}

/** The session has ended and will not come back. A `ticket` function may throw it to say so: nobody is signed in any more. */
export class Closed extends ParvisError {
  override name = 'Closed'
}

/** The server said no to one request; the session goes on. SPEC.md section 7 lists the codes. */
export class Refused extends ParvisError {
  override name = 'Refused'
  declare readonly code: number

  constructor(code: number, reason: string) {
    super(code, reason)
  }

  /** Whether the same request may succeed later. */
  get retryable(): boolean {
    return isRetryable(this.code)
  }
}

/**
 * What a device can fail at:
 * `unavailable` there is no IndexedDB, or it does not open; `newer` a later version of this package
 * wrote it; `quota` it is full; `corrupt` something kept was damaged (it is put aside, never deleted);
 * `cleared` it was cleared from another tab; `failed` anything else.
 */
export type DeviceProblem = 'unavailable' | 'newer' | 'quota' | 'corrupt' | 'cleared' | 'failed'

/** What is kept on this device cannot be read or written. */
export class DeviceError extends ParvisError {
  override name = 'DeviceError'
  declare readonly code: DeviceProblem

  constructor(code: DeviceProblem, reason: string, options?: { cause?: unknown }) {
    super(code, reason)
    if (options !== undefined) this.cause = options.cause
  }
}
