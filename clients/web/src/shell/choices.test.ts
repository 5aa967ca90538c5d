import { expect, test } from 'vitest'
import { fitting, SHOWN, withFound } from './choices'
import type { Command } from './product'

const command = (label: string, more: Partial<Command> = {}): Command => ({ id: label, label, run() {}, ...more })
const labels = (groups: ReturnType<typeof withFound>) => groups.map(({ name, choices }) => [name, ...choices.map(({ label }) => label)])

test('with nothing typed every command is there, in its group and in its order', () => {
  const many = Array.from({ length: SHOWN + 1 }, (_, n) => command(`Page ${n}`, { group: 'Go to' }))
  const groups = fitting([command('Bold'), ...many, command('Italic')], ' ', 'Here')
  expect(labels(groups)).toEqual([['Here', 'Bold', 'Italic'], ['Go to', ...many.map(({ label }) => label)]])
})

test('what fits best comes first, and of each group only so many', () => {
  const many = Array.from({ length: SHOWN + 1 }, (_, n) => command(`Some bold ${n}`))
  const groups = fitting([...many, command('Bold'), command('Red')], 'bold', 'Here')
  expect(groups[0]?.choices[0]?.label).toBe('Bold')
  expect(groups[0]?.choices).toHaveLength(SHOWN)
})

test('a command is found by words that it does not show', () => {
  expect(labels(fitting([command('Sprache: Deutsch', { words: 'language' })], 'language', 'Here'))).toEqual([['Here', 'Sprache: Deutsch']])
  expect(fitting([command('Bold')], 'xyz', 'Here')).toEqual([])
})

test('what products have found stands after the best group, and leads there', () => {
  const groups = fitting([command('Plan', { group: 'A' }), command('Planned', { group: 'B' })], 'plan', 'Here')
  const went: string[] = []
  const all = withFound(groups, [{ id: 'k', label: 'My plan', href: '/x/k' }], 'plan', 'Found', (href) => went.push(href))
  expect(all.map(({ name }) => name)).toEqual(['A', 'Found', 'B'])
  all[1]?.choices[0]?.run()
  expect(went).toEqual(['/x/k'])
  expect(withFound(groups, [], 'plan', 'Found', () => {})).toBe(groups)
})
