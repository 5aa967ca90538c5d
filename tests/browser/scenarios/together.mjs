// Two people on the page at once: they type, see each other, lose the line and find it again.
import { callYourself, goToEnd, launch, light, lights, person, text, textThat } from '../browser.mjs'

const sorted = (characters) => [...characters].sort().join('')
const holds = (...parts) => (whole) => sorted(whole.replaceAll('\n', '')) === sorted(parts.join('').replaceAll('\n', ''))

/** Both type at the same moment. Returns the two texts, and what each sees of the other. */
export async function two_pages({ url, chromium, key }) {
  const browser = await launch(chromium)
  const address = `${url}/#${encodeURIComponent(key)}`
  const [ada, grace] = [await person(browser, address), await person(browser, address)]
  await Promise.all([light(ada, 'saved'), light(grace, 'saved')])
  await callYourself(ada, 'Ada Lovelace')
  await callYourself(grace, 'Grâce 🦊')
  const words = ['The engine weaves algebraic patterns.', 'Un bogue, un vrai, dans le relais.']
  await Promise.all([ada, grace].map((page) => goToEnd(page)))
  await Promise.all([ada.keyboard.type(words[0]), grace.keyboard.type(words[1])])
  await textThat(ada, 'both texts', holds(...words))
  await textThat(grace, 'both texts', holds(...words))
  await Promise.all([light(ada, 'saved'), light(grace, 'saved')])

  // In the end, when nobody types any more, each sees the other's cursor and name.
  const names = []
  for (const page of [ada, grace]) {
    const caret = page.locator('.caret')
    await caret.waitFor({ state: 'visible' })
    await caret.hover({ force: true })
    await page.waitForSelector('.caret.pointed')
    const name = caret.locator('.caret-name')
    names.push(await name.textContent())
  }
  await ada.click('#people-button')
  const people = await ada.locator('#people-list .who').allTextContents()
  const colors = await ada.locator('#people-list .face').evaluateAll((faces) => faces.map((face) => getComputedStyle(face).backgroundColor))
  await ada.keyboard.press('Escape')
  await callYourself(ada, 'Countess Lovelace')
  await grace.waitForFunction((before) => document.querySelector('.caret-name').textContent !== before, names[1])
  const renamed = await grace.textContent('.caret-name')
  await grace.context().close()
  await ada.waitForFunction(() => document.querySelector('.caret') === null)
  const result = { same: (await text(ada)).length === words.join('').length, names, people, colors: new Set(colors).size, renamed, errors: [ada, grace].flatMap(({ said }) => said.errors) }
  await browser.close()
  return result
}

/** One goes offline, both write, one comes back. */
export async function offline({ url, chromium, key }) {
  const browser = await launch(chromium)
  const address = `${url}/#${key}`
  const [away, here] = [await person(browser, address), await person(browser, address)]
  await Promise.all([light(away, 'saved'), light(here, 'saved')])
  await goToEnd(here)
  await here.keyboard.type('before;')
  await textThat(away, 'the first words', (whole) => whole === 'before;')

  away.said.mayBeDown = true
  await away.context().setOffline(true)
  await light(away, 'offline')
  await goToEnd(away)
  await away.keyboard.type('written offline;')
  await goToEnd(here)
  await here.keyboard.type('written here;')
  await light(here, 'saved')
  const apart = [await text(away), await text(here)]
  const stillOffline = (await lights(away)).at(-1)
  const spoken = [await away.textContent('[role=status]')]
  await away.context().setOffline(false)
  await light(away, 'saved')
  spoken.push(await away.textContent('[role=status]'))
  const together = holds('before;', 'written offline;', 'written here;')
  const merged = [await textThat(away, 'the merge', together), await textThat(here, 'the merge', together)]
  const result = { apart, stillOffline, spoken, same: merged[0] === merged[1], merged: merged[0], errors: [away, here].flatMap(({ said }) => said.errors) }
  await browser.close()
  return result
}

/** Somebody writes offline, opens another document, and comes back when the line is there again. */
export async function left_behind({ url, chromium, key }) {
  const browser = await launch(chromium)
  const page = await person(browser, `${url}/#${key}`)
  await light(page, 'saved')
  page.said.mayBeDown = true
  await page.context().setOffline(true)
  await light(page, 'offline')
  await goToEnd(page)
  await page.keyboard.type('written offline;')
  const open = async (name) => {
    await page.click('#documents-button')
    await page.fill('#key', name)
    await page.keyboard.press('Enter')
    await page.waitForFunction((title) => document.getElementById('title').textContent === title, name)
  }
  await open(`${key}-elsewhere`)
  const elsewhere = await text(page)
  await open(key)
  const back = await text(page)
  await open(`${key}-elsewhere`)
  await page.context().setOffline(false)
  await light(page, 'saved')
  // Nobody has looked at it since: what a newcomer reads came from behind.
  const reader = await person(browser, `${url}/#${key}`)
  await textThat(reader, 'what was left behind', (whole) => whole === 'written offline;')
  const result = { back, elsewhere, errors: [page, reader].flatMap(({ said }) => said.errors) }
  await browser.close()
  return result
}

/**
 * The server dies while somebody types. Asks for `kill` and, unless it comes back by itself
 * (`asked_to_start` is false), for `start`. Returns what was typed and what a newcomer reads.
 */
export async function killed_while_typing({ url, chromium, key, asked_to_start, ask }) {
  const browser = await launch(chromium)
  const address = `${url}/#${key}`
  const writer = await person(browser, address)
  await light(writer, 'saved')
  await goToEnd(writer)
  let typed = ''
  const type = async (words) => {
    for (const word of words) {
      await writer.keyboard.type(word)
      typed += word
    }
  }
  const run = (name) => Array.from({ length: 25 }, (_, index) => `${name}${index} `)
  await type(run('a'))
  await light(writer, 'saved')
  writer.said.mayBeDown = true
  // The kill falls into the middle of these words.
  await Promise.all([type(run('b')), ask('kill')])
  await writer.waitForFunction(() => globalThis.lights.includes('offline'))
  await type(run('c'))
  if (asked_to_start) await ask('start')
  await type(run('d'))
  await light(writer, 'saved')

  const reader = await person(browser, address)
  await light(reader, 'saved')
  const read = await textThat(reader, 'everything that was typed', (whole) => whole === typed)
  const shown = await lights(writer)
  // The page is on its feet again: from here on an error is an error.
  writer.said.mayBeDown = false
  await type(['after the storm'])
  await light(writer, 'saved')
  await textThat(reader, 'the words afterwards', (whole) => whole === typed)
  const result = { read: read.length, shown, errors: [writer, reader].flatMap(({ said }) => said.errors) }
  await browser.close()
  return result
}

/** The store stands still while somebody types. Asks for `stall` and `flow`. */
export async function unsaved({ url, chromium, key, ask }) {
  const browser = await launch(chromium)
  const address = `${url}/#${key}`
  const [writer, reader] = [await person(browser, address), await person(browser, address)]
  await Promise.all([light(writer, 'saved'), light(reader, 'saved')])
  await goToEnd(writer)
  await writer.keyboard.type('first;')
  await light(writer, 'saved')
  await textThat(reader, 'the first words', (whole) => whole === 'first;')

  await ask('stall')
  const before = (await lights(writer)).length
  await writer.keyboard.type('while the store stands still;')
  await textThat(reader, 'what is not saved yet', (whole) => whole === 'first;while the store stands still;')
  await light(writer, 'unsaved')
  const during = (await lights(writer)).slice(before)
  const notice = await writer.locator('#notice').textContent()
  await ask('flow')
  await light(writer, 'saved')
  const result = { during, notice, after: (await lights(writer)).at(-1), errors: [writer, reader].flatMap(({ said }) => said.errors) }
  await browser.close()
  return result
}
