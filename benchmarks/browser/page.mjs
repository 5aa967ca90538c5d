// What the scenarios share: somebody signed in, keys at a person's pace, and instruments inside the page.
import { inside, launch, person, signIn } from '../../tests/browser/browser.mjs'

export { launch }

/** Cookies of somebody who has signed in, and nothing else: what a context with a cold cache begins with. */
export async function signedIn(browser, { url, email, password }) {
  const page = await person(browser, `${url}/sign-in`)
  await signIn(page, { email, password })
  await inside(page)
  const { cookies } = await page.context().storageState()
  await page.context().close()
  return { cookies, origins: [] }
}

/**
 * A page with instruments, in a context of its own that has nothing but `storageState`.
 * `clock`: what Chromium's own sums are in, the time (timeTicks) or the CPU time of the thread (threadTicks).
 */
export async function instrumented(browser, storageState, clock = 'threadTicks') {
  const context = await browser.newContext({ viewport: { width: 1280, height: 800 }, locale: 'en-GB', storageState })
  const page = await context.newPage()
  page.setDefaultTimeout(120_000)
  await page.addInitScript(instruments)
  page.on('pageerror', (error) => process.stderr.write(`in the page: ${error}\n`))
  page.cdp = await context.newCDPSession(page)
  await page.cdp.send('Performance.enable', { timeDomain: clock })
  return page
}

/**
 * Runs in every page before its own scripts. `globalThis.bench`, all times in milliseconds since the
 * navigation began:
 *
 * keys      {at: the key's event, shown: in the first frame after the text changed, behind its paint}
 * frames    {at, ms} of animation frames that took 50 ms or more
 * events    ms from a key's event to the next paint as Event Timing has it: in steps of 8, 16 or more
 * editable  when the text first took keys
 */
function instruments() {
  const bench = (globalThis.bench = { keys: [], frames: [], events: [], editable: null, gaps: null })
  const waiting = []
  const painted = (then) =>
    requestAnimationFrame(() => {
      const { port1, port2 } = new MessageChannel()
      port1.onmessage = () => then(performance.now())
      port2.postMessage(null)
    })
  bench.painted = painted
  addEventListener(
    'keydown',
    (event) => {
      if (event.isTrusted && event.key.length === 1) waiting.push(event.timeStamp)
    },
    true,
  )
  const ofText = ({ target }) => (target.nodeType === Node.TEXT_NODE ? target.parentElement : target)?.closest('.ProseMirror')
  new MutationObserver((changes) => {
    if (bench.editable === null && document.querySelector('.ProseMirror[contenteditable=true]')) {
      bench.editable = performance.now()
      globalThis.isEditable?.('')
    }
    if (waiting.length === 0 || !changes.some(({ type, target }) => type !== 'attributes' && ofText({ target }))) return
    const keys = waiting.splice(0)
    painted((shown) => bench.keys.push(...keys.map((at) => ({ at, shown }))))
  }).observe(document, { subtree: true, childList: true, characterData: true, attributes: true, attributeFilter: ['contenteditable'] })
  new PerformanceObserver((list) => {
    for (const { startTime, duration } of list.getEntries()) bench.frames.push({ at: startTime, ms: duration })
  }).observe({ type: 'long-animation-frame', buffered: true })
  new PerformanceObserver((list) => {
    for (const { name, duration } of list.getEntries()) if (name === 'keydown') bench.events.push(duration)
  }).observe({ type: 'event', durationThreshold: 16, buffered: true })
  /** From now on the time between frames is kept, with a frame at each beat of the screen. */
  bench.watch = () => {
    bench.gaps = []
    let before = 0
    const beat = (now) => {
      if (before !== 0) bench.gaps.push(now - before)
      before = now
      if (bench.gaps !== null) requestAnimationFrame(beat)
    }
    requestAnimationFrame(beat)
  }
}

/** Begins the page's figures anew. */
export const reset = (page) => page.evaluate(() => Object.assign(globalThis.bench, { keys: [], frames: [], events: [] }))

/** Puts the cursor into the middle of a paragraph, `part` of the way through the document. */
export async function cursorAt(page, part) {
  await page.evaluate((part) => {
    const root = document.querySelector('.ProseMirror')
    const paragraphs = [...root.children].filter((block) => block.tagName === 'P' && block.textContent.length > 0)
    const paragraph = paragraphs[Math.round(part * (paragraphs.length - 1))] ?? root.firstElementChild
    paragraph.scrollIntoView({ block: 'center' })
    const texts = document.createTreeWalker(paragraph, NodeFilter.SHOW_TEXT)
    const text = texts.nextNode()
    root.focus({ preventScroll: true })
    if (text === null) getSelection().collapse(paragraph, 0)
    else getSelection().collapse(text, Math.floor(text.data.length / 2))
  }, part)
  await settled(page)
}

/** Resolves when the page has had nothing to do for a second. */
export async function settled(page) {
  await page.evaluate(async () => {
    for (let calm = 0, before = performance.now(); calm < 20; ) {
      await new Promise((done) => setTimeout(done, 50))
      const now = performance.now()
      calm = now - before < 60 ? calm + 1 : 0
      before = now
    }
  })
}

/** Presses a key now, as the browser gets it from a keyboard. */
export function press(page, key) {
  const named = { key, text: key, unmodifiedText: key }
  void page.cdp.send('Input.dispatchKeyEvent', { type: 'keyDown', ...named })
  void page.cdp.send('Input.dispatchKeyEvent', { type: 'keyUp', key })
}

/** Types `keys` at about `rate` a second, never in step with the screen. */
export async function type(page, keys, rate) {
  let seed = 1
  let next = performance.now()
  for (const key of keys) {
    await new Promise((done) => setTimeout(done, Math.max(0, next - performance.now())))
    press(page, key)
    seed = (seed * 1103515245 + 12345) % 2 ** 31
    next += (0.5 + seed / 2 ** 31) * (1000 / rate)
  }
}

/** Resolves with the page's figures when `count` keys have been shown. */
export async function shown(page, count) {
  await page.waitForFunction((count) => globalThis.bench.keys.length >= count, count)
  return page.evaluate(() => {
    const { keys, frames, events, editable, gaps } = globalThis.bench
    return { keys, frames, events, editable, gaps }
  })
}

/** Letters to type, none like the one before it. */
export const letters = (count) => Array.from({ length: count }, (_, at) => 'etaoinshrdlu'[at % 12])

/** Goes to `path`, and types a letter as soon as the text takes it. Returns when it was editable and the letter shown. */
export async function openAndType(page, url, path) {
  const editable = new Promise((done) => (page.onEditable = done))
  if (!page.hears) {
    page.hears = true
    await page.cdp.send('Runtime.enable')
    await page.cdp.send('Runtime.addBinding', { name: 'isEditable' })
    page.cdp.on('Runtime.bindingCalled', ({ name }) => name === 'isEditable' && page.onEditable())
  }
  await page.goto(`${url}${path}`, { waitUntil: 'commit' })
  await editable
  await page.evaluate(() => {
    const root = document.querySelector('.ProseMirror')
    const text = document.createTreeWalker(root, NodeFilter.SHOW_TEXT).nextNode()
    root.focus({ preventScroll: true })
    getSelection().collapse(text ?? root.firstElementChild, 0)
  })
  press(page, 'x')
  const { keys, editable: at } = await shown(page, 1)
  return { editable: at, shown: keys[0].shown }
}

/** Every file the page has loaded, and its bytes as sent (compressed) and as used. */
export const loaded = (page) =>
  page.evaluate(() =>
    [...performance.getEntriesByType('navigation'), ...performance.getEntriesByType('resource')].map((file) => ({
      name: new URL(file.name).pathname, from: file.initiatorType, sent: file.encodedBodySize, used: file.decodedBodySize, end: file.responseEnd,
    })),
  )

/** What the page's main thread has done so far, in seconds of its CPU (see `instrumented`). */
export async function work(page) {
  const { metrics } = await page.cdp.send('Performance.getMetrics')
  const of = Object.fromEntries(metrics.map(({ name, value }) => [name, value]))
  return { script: of.ScriptDuration, style: of.RecalcStyleDuration, layout: of.LayoutDuration, all: of.TaskDuration }
}

/** Bytes: what scripts hold, after a collection, and what the page's process has resident. */
export async function memory(browser, page) {
  await page.cdp.send('HeapProfiler.collectGarbage')
  const { metrics } = await page.cdp.send('Performance.getMetrics')
  const of = Object.fromEntries(metrics.map(({ name, value }) => [name, value]))
  const { processInfo } = await (await browser.newBrowserCDPSession()).send('SystemInfo.getProcessInfo')
  const { readFileSync } = await import('node:fs')
  const resident = processInfo.filter(({ type }) => type === 'renderer').map(({ id }) => Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${id}/status`, 'utf-8'))?.[1] ?? 0) * 1024)
  return { scripts: of.JSHeapUsedSize, process: Math.max(...resident), nodes: of.Nodes }
}
