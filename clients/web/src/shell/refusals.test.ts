import { Disconnected, ErrorCode, Refused } from '@parvis/client'
import { load } from '@i18n'
import { beforeAll, expect, test } from 'vitest'
import { Refusal } from './api'
import { details, words } from './refusals'

beforeAll(() => load('en'))

test('what a room refuses is said as what the HTTP API refuses', () => {
  const pairs = [
    [ErrorCode.permissionDenied, 'permission_denied', 403],
    [ErrorCode.roomNotFound, 'room_not_found', 404],
    [ErrorCode.conflict, 'conflict', 409],
    [ErrorCode.tooLarge, 'too_large', 413],
    [ErrorCode.tryAgain, 'try_again', 503],
    [ErrorCode.internal, 'internal', 500],
  ] as const
  for (const [number, code, status] of pairs) {
    const said = words(new Refused(number, 'no'))
    expect([code, said]).toEqual([code, words(new Refusal(code, 'no', { status }))])
    expect(said).not.toBe('')
  }
})

test('a connection that went is no answer, and what the room said itself is kept for the details', () => {
  expect(words(new Disconnected(1006, 'gone'))).toBe(words(new Refusal('no_answer', 'gone')))
  expect(details(new Refused(ErrorCode.conflict, 'the thread is gone'))).toBe('the thread is gone (402)')
})
