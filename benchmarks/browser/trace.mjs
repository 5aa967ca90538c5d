// A document with a long past: opened, its history looked at.
import { instrumented, launch, openAndType, memory, settled, signedIn } from './page.mjs'

export async function measure(settings) {
  const { url, chromium, key, runs } = settings
  const browser = await launch(chromium)
  const state = await signedIn(browser, settings)
  const opened = []
  let page
  for (let at = 0; at < runs; at++) {
    await page?.context().close()
    page = await instrumented(browser, state)
    opened.push(await openAndType(page, url, `/docs/${key}`))
    await settled(page)
  }
  const held = await memory(browser, page)
  await page.getByRole('button', { name: 'More about this document' }).click()
  await page.getByRole('menuitem', { name: 'History' }).waitFor()
  await page.evaluate(watchHistory)
  await page.getByRole('menuitem', { name: 'History' }).click()
  await page.waitForFunction(() => globalThis.bench.history?.view !== undefined)
  const history = await page.evaluate(() => globalThis.bench.history)
  const version = browser.version()
  await browser.close()
  return { version, opened, memory: held, history }
}

/** Runs in the page: from the next click on, when the list of the history and the view in it are painted. */
function watchHistory() {
  const marks = (globalThis.bench.history = {})
  addEventListener(
    'click',
    ({ timeStamp }) => {
      new MutationObserver((_, self) => {
        const panel = document.querySelector('.history')
        if (marks.list === undefined && panel?.querySelector('.entries li')) {
          marks.list = NaN
          globalThis.bench.painted((at) => (marks.list = at - timeStamp))
        }
        if (panel?.querySelector('.paper .doc-text') && !panel.querySelector('.paper > [hidden]')) {
          self.disconnect()
          globalThis.bench.painted((at) => (marks.view = at - timeStamp))
        }
      }).observe(document, { subtree: true, childList: true, attributes: true })
    },
    { capture: true, once: true },
  )
}
