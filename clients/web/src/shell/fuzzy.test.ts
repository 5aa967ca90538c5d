import { expect, test } from 'vitest'
import { fit, fold } from './fuzzy'

const best = (query: string, texts: string[]) =>
  texts
    .map((text) => ({ text, found: fit(query, text) }))
    .filter(({ found }) => found !== null)
    .sort((a, b) => (b.found?.score ?? 0) - (a.found?.score ?? 0))
    .map(({ text }) => text)

test('first letters of words find a command', () => {
  expect(fit('nd', 'New document')?.at).toEqual([0, 4])
  expect(fit('nd', 'Rename')).toBeNull()
})

test('accents and capitals make no difference, and places stay', () => {
  expect(fit('ecrire', 'Tout Écrire')?.at).toEqual([5, 6, 7, 8, 9, 10])
  expect(fold('ŒUVRE Éà')).toHaveLength('ŒUVRE Éà'.length)
})

test('words may come in any order', () => {
  expect(fit('dark app', 'Appearance: Dark')).not.toBeNull()
})

test('the start of the text comes before the start of a word, and that before the middle', () => {
  expect(best('comment', ['Recommentary', 'Add a comment', 'Comments'])).toEqual(['Comments', 'Add a comment', 'Recommentary'])
})

test('nothing typed fits everything', () => {
  expect(fit('', 'Anything')?.at).toEqual([])
})
