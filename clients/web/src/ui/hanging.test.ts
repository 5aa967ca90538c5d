import { afterEach, expect, test } from 'vitest'
import { strategyOf } from './hanging'

afterEach(() => document.body.replaceChildren())

function buttonIn(position: string): Element {
  document.body.innerHTML = `<div style="position: ${position}"><p style="position: relative"><button></button></p></div>`
  return document.querySelector('button')!
}

test('what opens at a button that the window holds is held by the window, too', () => {
  expect(['fixed', 'sticky'].map((position) => strategyOf(buttonIn(position)))).toEqual(['fixed', 'fixed'])
})

test('what opens at a button of the page scrolls with the page', () => {
  expect(['static', 'relative', 'absolute'].map((position) => strategyOf(buttonIn(position)))).toEqual(['absolute', 'absolute', 'absolute'])
  expect(strategyOf(null)).toBe('absolute')
})
