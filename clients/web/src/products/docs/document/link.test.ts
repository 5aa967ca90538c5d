// The secret in an address, as it comes from mails and chats: whole, or mangled.
import { expect, test } from 'vitest'
import { secretIn } from './link'

test('the secret of a link is read from the fragment', () => {
  expect(secretIn('link=abc-_%3D')).toBe('abc-_=')
  expect(secretIn('comment=c1')).toBeNull()
  expect(secretIn('link=')).toBeNull()
})

test('a mangled address is a wrong secret, and no error', () => {
  expect(secretIn('link=%')).toBe('%')
  expect(secretIn('link=abc%E0%A4')).toBe('abc%E0%A4')
})
