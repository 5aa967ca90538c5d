import { expect, test } from 'vitest'
import { safeLink, soleLink } from './links'

test.each([
  ['https://example.org/a?b#c', 'https://example.org/a?b#c'],
  ['HTTP://example.org', 'HTTP://example.org'],
  ['mailto:ada@example.org', 'mailto:ada@example.org'],
  ['tel:+33123456789', 'tel:+33123456789'],
  ['ada@example.org', 'mailto:ada@example.org'],
  ['example.org', 'https://example.org'],
  ['example.org:8080/x', 'https://example.org:8080/x'],
  ['localhost:8000', 'http://localhost:8000'],
  ['/docs/abc', '/docs/abc'],
  ['#part', '#part'],
  ['javascript:alert(1)', null],
  ['JaVaScRiPt:alert(1)', null],
  [' java\nscript:alert(1)', null],
  ['\u0001javascript:alert(1)', null],
  ['java\u200bscript:alert(1)', null],
  ['data:text/html,x', null],
  ['vbscript:x', null],
  ['file:///etc/passwd', null],
  ['blob:https://example.org/1', null],
  ['//evil.example', null],
  ['/\\evil.example', null],
  ['https://', null],
  ['mailto:', null],
  ['just words', null],
  ['', null],
])('%j as a link is %j', (text, link) => {
  expect(safeLink(text)).toBe(link)
})

test('only a whole address pasted alone is a link', () => {
  expect(soleLink(' https://example.org/a ')).toBe('https://example.org/a')
  expect(soleLink('see https://example.org')).toBeNull()
  expect(soleLink('example.org')).toBeNull()
})
