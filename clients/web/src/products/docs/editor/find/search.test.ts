import { expect, test } from 'vitest'
import { contentSchema } from '../binding/headless'
import { nextFrom, searcher } from './search'

const schema = contentSchema()
const bold = schema.marks['bold']!.create()
const doc = schema.topNodeType.create(null, [
  schema.nodes['paragraph']!.create(null, [schema.text('The se'), schema.text('a', [bold]), schema.text(', the SEA; overseas (a.b)')]),
  schema.nodes['paragraph']!.create(null, [schema.text('İstanbul straße sea\u00a0side 🙂 sea')]),
])

const found = (text: string, more: { caseSensitive?: boolean; wholeWord?: boolean } = {}) =>
  searcher({ text, caseSensitive: false, wholeWord: false, ...more })(doc).map(({ from, to }) => doc.textBetween(from, to))

test('case is ignored unless asked for, and marks do not break a word', () => {
  expect(found('sea')).toEqual(['sea', 'SEA', 'sea', 'sea', 'sea'])
  expect(found('sea', { caseSensitive: true })).toEqual(['sea', 'sea', 'sea', 'sea'])
})

test('whole words only', () => {
  expect(found('sea', { wholeWord: true })).toEqual(['sea', 'SEA', 'sea', 'sea'])
  expect(found('ver', { wholeWord: true })).toEqual([])
})

test('signs are letters like others, and letters that change their length do not shift what follows', () => {
  expect(found('(a.b)')).toEqual(['(a.b)'])
  expect(found('a.b)')).toEqual(['a.b)'])
  expect(found('.*')).toEqual([])
  expect(found('straße')).toEqual(['straße'])
  expect(found('sea side')).toEqual(['sea\u00a0side'])
  expect(found('🙂')).toEqual(['🙂'])
})

test('the next match is the first at or after a place, and the first of all behind the last', () => {
  const matches = [{ from: 2, to: 4 }, { from: 10, to: 12 }]
  expect([0, 2, 3, 10, 11].map((pos) => nextFrom(matches, pos))).toEqual([0, 0, 1, 1, 0])
})
