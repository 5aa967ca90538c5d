// One person types in the browser, in a document full of people; every key is a character of its own.
import { cursorAt, instrumented, launch, letters, openAndType, reset, settled, shown, signedIn, type, work } from './page.mjs'

/** Latin letters with marks: no word of the others has them, and no key comes twice. */
const MARKS = Array.from({ length: 0x24f - 0x100 }, (_, at) => String.fromCodePoint(0x100 + at))

export async function measure(settings) {
  const { url, chromium, key, seconds, rate, warmUp, ask } = settings
  const browser = await launch(chromium)
  const page = await instrumented(browser, await signedIn(browser, settings), 'timeTicks')
  const frames = []
  await page.cdp.send('Network.enable')
  for (const [event, sent] of [['Network.webSocketFrameSent', true], ['Network.webSocketFrameReceived', false]]) {
    page.cdp.on(event, ({ timestamp, response }) => response.opcode === 2 && frames.push({ sent, at: timestamp, payload: response.payloadData }))
  }
  await openAndType(page, url, `/docs/${key}`)
  await ask('begin')
  await settled(page)
  await cursorAt(page, 0)
  await type(page, letters(Math.ceil(warmUp * rate)), rate)
  await shown(page, 1 + Math.ceil(warmUp * rate))
  await reset(page)
  await page.evaluate(() => globalThis.bench.watch())
  const people = await page.evaluate(() => document.querySelectorAll('.others-caret').length)
  frames.length = 0
  const marks = MARKS.slice(0, Math.min(MARKS.length, Math.ceil(seconds * rate)))
  const { metrics } = await page.cdp.send('Performance.getMetrics')
  const began = metrics.find(({ name }) => name === 'NavigationStart').value
  const idle = await work(page)
  await type(page, marks, rate)
  const found = await shown(page, marks.length)
  const busy = await work(page)
  await page.waitForSelector('[data-standing=saved]')
  await ask('end')
  const text = await page.evaluate(() => [...document.querySelector('.ProseMirror').querySelectorAll('p')].find((block) => block.textContent !== '').textContent)
  const version = browser.version()
  await browser.close()
  const spent = Object.fromEntries(Object.entries(busy).map(([kind, at]) => [kind, at - idle[kind]]))
  return { keys: found.keys, gaps: found.gaps, long: found.frames, version, marks, began, frames, people, text, spent }
}
