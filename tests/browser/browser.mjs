// Chromium for the scenarios: pages that remember what their console said and what their light was.
import { chromium } from 'playwright-core'

const FLAGS = [
  '--headless',
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
]
const SECONDS = 30
/** What Chromium itself writes to the console when a server cannot be reached. */
const UNREACHABLE = /net::ERR_(CONNECTION|INTERNET|NETWORK|EMPTY|SOCKET)|WebSocket connection to .* failed/

/** A browser with a profile of its own. `executable` is Debian's Chromium. */
export async function launch(executable) {
  return chromium.launch({ executablePath: executable, args: FLAGS })
}

/**
 * A page of somebody of their own (cookies, storage). `options` are Playwright's for a context.
 *
 * `page.said.errors` collects what the console must not say; while `page.said.mayBeDown` is set,
 * failures to reach the server are counted apart, in `page.said.unreachable`.
 */
export async function person(browser, url, options = {}) {
  const context = await browser.newContext({ viewport: { width: 1280, height: 800 }, ...options })
  const page = await context.newPage()
  page.setDefaultTimeout(SECONDS * 1000)
  page.said = { errors: [], unreachable: 0, mayBeDown: false, expected: null }
  page.on('console', (message) => {
    if (!['error', 'warning'].includes(message.type())) return
    const { said } = page
    if (said.mayBeDown && UNREACHABLE.test(message.text())) said.unreachable += 1
    else if (!said.expected?.test(message.text())) said.errors.push(message.text())
  })
  page.on('pageerror', (error) => page.said.errors.push(String(error)))
  await page.addInitScript(rememberLights)
  await page.goto(url)
  return page
}

/** Runs in the page: keeps every state of the light, however short. */
function rememberLights() {
  globalThis.lights = []
  const note = () => {
    const now = document.getElementById('light')?.dataset.light
    if (now && now !== globalThis.lights.at(-1)) globalThis.lights.push(now)
  }
  new MutationObserver(note).observe(document, { subtree: true, childList: true, attributes: true, attributeFilter: ['data-light'] })
}

/** Every state the light has had since the page was loaded. */
export const lights = (page) => page.evaluate(() => globalThis.lights)

/** Resolves when the light shows `state`. */
export async function light(page, state) {
  await page.waitForSelector(`#light[data-light="${state}"]`).catch(async (error) => {
    throw new Error(`the light never showed "${state}"; it showed ${JSON.stringify(await lights(page))}`, { cause: error })
  })
}

/** What the editor shows, line breaks as such. */
export const text = (page) =>
  page.evaluate(() => Array.from(document.querySelectorAll('.cm-line'), (line) => {
    const copy = line.cloneNode(true)
    copy.querySelector('.cm-placeholder')?.remove()
    return copy.textContent
  }).join('\n'))

/** Resolves when `fits(text)` holds for the editor's text. */
export async function textThat(page, what, fits) {
  const deadline = Date.now() + SECONDS * 1000
  for (;;) {
    const now = await text(page)
    if (fits(now)) return now
    if (Date.now() > deadline) throw new Error(`gave up waiting for ${what}; the text is ${JSON.stringify(now)}`)
    await page.evaluate(() => new Promise(requestAnimationFrame))
  }
}

/** Gives the reader a name, as a guest does. */
export async function callYourself(page, name) {
  await page.click('#people-button')
  await page.fill('#name', name)
  await page.keyboard.press('Enter')
  await page.waitForSelector('#people:popover-open', { state: 'detached' })
}

/** Puts the cursor at the end of the text. */
export async function goToEnd(page) {
  await page.focus('.cm-content')
  await page.keyboard.press('Control+End')
}
