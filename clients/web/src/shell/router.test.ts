import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { at, beforeLeaving, go, place, setTitle, startRouter } from './router.svelte'

let stop: () => void
beforeEach(() => {
  history.replaceState(null, '', '/start')
  document.body.innerHTML = '<main id="main" tabindex="-1"></main>'
  window.scrollTo = vi.fn() as typeof scrollTo
  stop = startRouter()
  go('/start', { replace: true })
})
afterEach(() => {
  stop()
  vi.unstubAllGlobals()
})

const click = (link: string, init: MouseEventInit = {}) => {
  document.body.insertAdjacentHTML('beforeend', link)
  const event = new MouseEvent('click', { bubbles: true, cancelable: true, ...init })
  document.querySelector('a')?.dispatchEvent(event)
  return event.defaultPrevented
}

test('going somewhere changes the address, the parameters and the title', () => {
  go('/docs/abc?view=mine#part')
  expect([place().path, place().query.get('view'), place().hash]).toEqual(['/docs/abc', 'mine', 'part'])
  expect(at('/docs/:key')).toEqual({ key: 'abc' })
  setTitle('Minutes')
  expect(document.title).toBe('Minutes · Parvis')
})

test('a link of the app is followed without a reload', () => {
  expect(click('<a href="/docs">Docs</a>')).toBe(true)
  expect(place().path).toBe('/docs')
})

test.each([
  ['to another site', '<a href="https://example.org/docs">x</a>', {}],
  ['in a new window', '<a href="/docs" target="_blank">x</a>', {}],
  ['to save', '<a href="/docs" download>x</a>', {}],
  ['with a key held', '<a href="/docs">x</a>', { ctrlKey: true }],
  ['to what the node answers', '<a href="/api/v1/docs/documents/a/content">x</a>', {}],
  ['to a file', '<a href="/fonts-licence.txt">x</a>', {}],
])('a link %s is left to the browser', (_, link, init) => {
  const before = place().path
  document.body.insertAdjacentHTML('beforeend', link)
  let taken = true
  const last = (event: Event) => {
    taken = event.defaultPrevented
    // jsdom would say that it cannot navigate.
    event.preventDefault()
  }
  addEventListener('click', last, { once: true })
  document.querySelector('a')?.dispatchEvent(new MouseEvent('click', { bubbles: true, cancelable: true, ...init }))
  expect([taken, place().path]).toEqual([false, before])
})

test('a guard keeps the reader on the page, until it is taken back', () => {
  const release = beforeLeaving(() => false)
  go('/elsewhere')
  expect(place().path).toBe('/start')
  release()
  go('/elsewhere')
  expect(place().path).toBe('/elsewhere')
})

test('the new page gets the focus, and what had it on the old one not', async () => {
  const main = document.getElementById('main')
  go('/elsewhere')
  await vi.waitFor(() => expect(document.activeElement).toBe(main))
  expect(window.scrollTo).toHaveBeenCalledWith(0, 0)
})

test('the browser goes back to where the page was scrolled', async () => {
  vi.stubGlobal('scrollY', 420)
  go('/second')
  history.back()
  await vi.waitFor(() => expect(place().path).toBe('/start'))
  await vi.waitFor(() => expect(window.scrollTo).toHaveBeenLastCalledWith(0, 420))
})
