// The keys of a field with a list, and what screen readers are told of it.
import { flushSync } from 'svelte'
import { expect, test } from 'vitest'
import { Choosing } from './choosing.svelte'

function box(options: readonly string[], stays = false) {
  const chosen: string[] = []
  const made = new Choosing<string>({ id: 'x', options: () => options, choose: (option) => chosen.push(option), stays })
  const press = (key: string): boolean => made.onKey(new KeyboardEvent('keydown', { key, cancelable: true }))
  return { made, chosen, press }
}

test('the list shows once something is typed, and arrows walk it round', () => {
  const { made, press } = box(['ada', 'grace', 'linus'])
  expect([made.isOpen, made.active]).toEqual([false, undefined])
  made.typed()
  expect(made.active).toBe('ada')
  press('ArrowUp')
  expect(made.active).toBe('linus')
  press('ArrowDown')
  press('ArrowDown')
  flushSync()
  expect(made.field['aria-activedescendant']).toBe('x-1')
  expect(made.line('grace', 1)['aria-selected']).toBe(true)
})

test('Enter chooses, and is left to the form while there is nothing to choose', () => {
  const { made, chosen, press } = box(['ada'])
  expect(press('Enter')).toBe(false)
  made.typed()
  expect(press('Enter')).toBe(true)
  expect(chosen).toEqual(['ada'])
})

test('Escape closes the list, and only then what is around it', () => {
  const { made, press } = box(['ada'])
  made.typed()
  expect(press('Escape')).toBe(true)
  expect(made.isOpen).toBe(false)
  expect(press('Escape')).toBe(false)
})

test('an arrow opens the list again, at the line where it was', () => {
  const { made, press } = box(['ada', 'grace'])
  made.typed()
  press('ArrowDown')
  made.close()
  press('ArrowDown')
  expect(made.active).toBe('grace')
})

test('a list that stays is there from the start, and Escape is not for it', () => {
  const { made, press } = box(['ada'], true)
  expect(made.active).toBe('ada')
  expect(press('Escape')).toBe(false)
})

test('keys of a word that is being composed are not for the list', () => {
  const { made } = box(['ada'])
  made.typed()
  expect(made.onKey(new KeyboardEvent('keydown', { key: 'Enter', isComposing: true }))).toBe(false)
})
