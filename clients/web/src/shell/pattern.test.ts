import { expect, test } from 'vitest'
import { inside, match } from './pattern'

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

test('an address to go on to leads nowhere else', () => {
  const here = 'https://parvis.example'
  expect(inside('/docs/a?view=mine#comment=b', here)).toBe(`${here}/docs/a?view=mine#comment=b`)
  expect(new URL(inside('/.//evil.example', here), here).origin).toBe(here)
  for (const asked of ['//evil.example', '/\t/evil.example', '/\n/evil.example', '/\\evil.example', 'https://evil.example', 'javascript:alert(1)', ' //evil.example', '', 'docs', '/\t\\evil.example']) {
    expect(inside(asked, here)).toBe('/')
  }
})
