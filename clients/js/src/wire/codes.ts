// Numbers that say what went wrong and whether to try again. SPEC.md sections 7 and 8.

/** Why one request was refused. 100 to 499: repeating it will not help; 500 to 599: it may succeed later. */
export const ErrorCode = {
  malformed: 100,
  notJoined: 102,
  alreadyJoined: 103,
  unknownCommand: 104,
  tooLarge: 105,
  unauthenticated: 200,
  permissionDenied: 201,
  roomNotFound: 300,
  roomDeleted: 301,
  staleIncarnation: 304,
  schemaMismatch: 305,
  invalidUpdate: 400,
  poison: 401,
  conflict: 402,
  refused: 403,
  tryAgain: 500,
  internal: 900,
} as const

/** Whether the same request may succeed later. */
export function isRetryable(code: number): boolean {
  return code >= 500 && code < 600
}

/** Why a connection ended, as far as this client acts on it by name. */
export const CloseCode = {
  normal: 1000,
  protocolError: 1002,
  broken: 1006,
  restart: 1012,
  unauthenticated: 3501,
} as const

/** Close codes, from and to, after which a client connects again. 1000 and 1001 are what proxies send when they tidy up. */
const COMES_BACK: readonly (readonly [number, number])[] = [
  [1000, 1001],
  [1005, 1006],
  [1011, 1015],
  [3000, 3499],
  [4401, 4401],
  [4500, 4599],
]

/** Whether a connection that ended with this code should be opened again. */
export function comesBack(code: number): boolean {
  return COMES_BACK.some(([low, high]) => low <= code && code <= high)
}
