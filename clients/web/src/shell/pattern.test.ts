import { expect, test } from 'vitest'
import { match } from './pattern'

test('a pattern gives its parameters, decoded', () => {
  expect(match('/docs/:key', '/docs/caf%C3%A9%2Fnoir')).toEqual({ key: 'café/noir' })
  expect(match('/docs/:key/history/:offset', '/docs/a/history/7')).toEqual({ key: 'a', offset: '7' })
  expect(match('/docs', '/docs/')).toEqual({})
  expect(match('/', '/')).toEqual({})
})

test('an address that is too short, too long or another does not fit', () => {
  expect(match('/docs/:key', '/docs')).toBeNull()
  expect(match('/docs/:key', '/docs/a/b')).toBeNull()
  expect(match('/docs/:key', '/sheets/a')).toBeNull()
  expect(match('/docs', '/')).toBeNull()
})

test('a star takes the rest, and needs one', () => {
  expect(match('/files/*path', '/files/a/b%20c/d')).toEqual({ path: 'a/b c/d' })
  expect(match('/files/*path', '/files')).toBeNull()
})

test('an address that cannot be decoded fits nothing', () => {
  expect(match('/docs/:key', '/docs/%E0%A4%A')).toBeNull()
})
