// One person opens a long document, for the first time and again, and types in three places.
import { cursorAt, instrumented, launch, letters, memory, openAndType, reset, settled, shown, signedIn, type, work } from './page.mjs'

export async function measure(settings) {
  const { url, chromium, key, runs, keys, rate } = settings
  const path = `/docs/${key}`
  const browser = await launch(chromium)
  const state = await signedIn(browser, settings)
  const found = { version: browser.version(), cold: [], warm: [], typing: {}, reload: [] }
  let page
  for (let at = 0; at < runs; at++) {
    await page?.context().close()
    page = await instrumented(browser, state)
    const opened = await openAndType(page, url, path)
    await settled(page)
    found.cold.push({ ...opened, ...(await longest(page)) })
  }
  // The worker of the page keeps the app, and the page a copy of the document, on this device.
  await page.evaluate(() => navigator.serviceWorker.ready)
  await kept(page)
  for (let at = 0; at < runs; at++) {
    const opened = await openAndType(page, url, path)
    await settled(page)
    found.warm.push({ ...opened, ...(await longest(page)) })
    await kept(page)
  }
  found.memory = { opened: await memory(browser, page) }
  for (const [place, part] of [['beginning', 0.01], ['middle', 0.5], ['end', 0.99]]) {
    await cursorAt(page, part)
    await type(page, letters(5), rate) // what is done but once
    await shown(page, 5)
    await settled(page)
    await reset(page)
    const words = letters(keys)
    const [before, idle] = [await around(page), await work(page)]
    await type(page, words, rate)
    const seen = await shown(page, keys)
    const busy = await work(page)
    const after = await around(page)
    if (!after.includes(words.join(''))) throw new Error(`typed at the ${place}, but the paragraph says ${JSON.stringify(after)} after ${JSON.stringify(before)}`)
    await settled(page)
    const each = Object.fromEntries(Object.entries(busy).map(([kind, at]) => [kind, (at - idle[kind]) / keys]))
    found.typing[place] = { ...seen, ...(await longest(page)), work: each }
  }
  await kept(page)
  found.memory.typed = await memory(browser, page)
  await browser.close()
  return found
}

const longest = (page) => page.evaluate(() => ({ longest: Math.max(0, ...globalThis.bench.frames.map(({ ms }) => ms)), long: globalThis.bench.frames.length }))

/** The text of the paragraph with the cursor. */
const around = (page) => page.evaluate(() => getSelection().anchorNode.parentElement.closest('p').textContent)

/** Resolves when everything is on the server, and had the time to be written on this device. */
async function kept(page) {
  await page.waitForSelector('[data-standing=saved]')
  await settled(page)
}
