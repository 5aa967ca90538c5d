// Chromium for the scenarios: pages that remember what their console said, and what axe finds in them.
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
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
const UNREACHABLE = /net::ERR_(CONNECTION|INTERNET|NETWORK|EMPTY|SOCKET|ADDRESS)|WebSocket connection to .* failed/
const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf-8')
const RULES = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice']

export const PHONE = { viewport: { width: 390, height: 844 }, deviceScaleFactor: 2, isMobile: true, hasTouch: true }

/** A browser with a profile of its own. `executable` is Debian's Chromium. */
export async function launch(executable) {
  return chromium.launch({ executablePath: executable, args: FLAGS })
}

/**
 * A page of somebody of their own (cookies, storage). `options` are Playwright's for a context, which `prepare`
 * gets before the page is opened.
 *
 * `page.said.errors` collects what the console must not say, breaches of the page's CSP among it; while
 * `page.said.mayBeDown` is set, failures to reach the server are counted apart, in
 * `page.said.unreachable`. `page.said.expected` is what the console may say: refusals that are wanted.
 */
export async function person(browser, url, options = {}, prepare = async () => undefined) {
  const context = await browser.newContext({ viewport: { width: 1280, height: 800 }, locale: 'en-GB', ...options })
  await prepare(context)
  const page = await context.newPage()
  page.setDefaultTimeout(SECONDS * 1000)
  page.said = { errors: [], unreachable: 0, mayBeDown: false, expected: null }
  page.on('console', (message) => {
    if (!['error', 'warning'].includes(message.type())) return
    const { said } = page
    if (said.mayBeDown && UNREACHABLE.test(message.text())) said.unreachable += 1
    else if (!said.expected?.test(message.text())) said.errors.push(`${message.text()} (${message.location().url})`)
  })
  page.on('pageerror', (error) => page.said.errors.push(String(error)))
  await page.addInitScript(remember)
  await page.goto(url)
  return page
}

/** Runs in the page: keeps every state that a document's status has had, and breaches of the CSP. */
function remember() {
  globalThis.standings = []
  const note = () => {
    const now = document.querySelector('[data-standing]')?.dataset.standing
    if (now && now !== globalThis.standings.at(-1)) globalThis.standings.push(now)
  }
  new MutationObserver(note).observe(document, { subtree: true, childList: true, attributes: true, attributeFilter: ['data-standing'] })
  document.addEventListener('securitypolicyviolation', (event) => console.error(`CSP: ${event.violatedDirective} ${event.blockedURI} ${event.sourceFile ?? ''}`))
}

/** Every state the document's status has had since the page was loaded. */
export const standings = (page) => page.evaluate(() => globalThis.standings)

/** Resolves when the document's status is `state`. */
export async function standing(page, state) {
  await page.waitForSelector(`[data-standing="${state}"]`).catch(async (error) => {
    throw new Error(`the status never was "${state}"; it was ${JSON.stringify(await standings(page))}`, { cause: error })
  })
}

/** What the editor shows, a block per line. */
export const text = (page) =>
  page.evaluate(() => {
    // Without the names at others' cursors.
    const copy = document.querySelector('.ProseMirror')?.cloneNode(true)
    for (const caret of copy?.querySelectorAll('.others-caret, .ProseMirror-widget') ?? []) caret.remove()
    return Array.from(copy?.children ?? [], (block) => block.textContent).join('\n')
  })

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

/** Puts the cursor at the end of the text, and resolves when the editor knows. */
export async function goToEnd(page) {
  await page.focus('.ProseMirror')
  await page.keyboard.press('Control+End')
  await caretKnown(page)
}

/** Resolves when the editor has the selection that the page has: it hears of it with an event of its own. */
export async function caretKnown(page) {
  await page.waitForFunction(() => {
    const { view } = document.querySelector('.ProseMirror').editor
    const { anchorNode, anchorOffset, focusNode, focusOffset } = getSelection()
    if (!view.dom.contains(anchorNode) || !view.dom.contains(focusNode)) return false
    const { anchor, head } = view.state.selection
    return view.posAtDOM(anchorNode, anchorOffset) === anchor && view.posAtDOM(focusNode, focusOffset) === head
  })
}

/** Makes the first account by the node's link and resolves when its pages are there. */
export async function setUp(page, { name = 'Ada Lovelace', email = 'ada@example.org', password = PASSWORD } = {}) {
  await page.fill('[name=name]', name)
  await page.fill('[name=email]', email)
  await page.fill('[name=password]', password)
  await page.keyboard.press('Enter')
  await inside(page)
}
export const PASSWORD = 'weaving algebraic patterns'

/** Signs in where the form is shown. */
export async function signIn(page, { email = 'ada@example.org', password = PASSWORD } = {}) {
  await page.fill('[name=email]', email)
  await page.fill('[name=password]', password)
  await page.keyboard.press('Enter')
}

/** Resolves when the app's frame is there: somebody is signed in. */
export async function inside(page) {
  await page.waitForSelector('main header.bar')
}

/** What axe finds wrong with the page as it is now, and whether it is wider than its window. */
export async function faults(page) {
  // What fades in has its colours only at the end.
  await page.evaluate(() => Promise.all(document.getAnimations().filter((each) => each.effect?.getTiming().iterations !== Infinity).map((each) => each.finished.catch(() => null))))
  const session = await page.context().newCDPSession(page)
  await session.send('Runtime.evaluate', { expression: AXE })
  await session.detach()
  // An open menu lies outside of every landmark, which is how menus are.
  const { violations } = await page.evaluate((values) => {
    const rules = { region: { enabled: document.querySelector('[role=menu]') === null } }
    return globalThis.axe.run(document, { runOnly: values, rules })
  }, RULES)
  const found = violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html.slice(0, 120)).join(' | ')}`)
  // A phone would zoom out to show it all: innerWidth is no measure there.
  const over = (await page.evaluate(() => document.documentElement.scrollWidth)) - page.viewportSize().width
  return over > 0 ? [...found, `${over} px wider than the window`] : found
}
