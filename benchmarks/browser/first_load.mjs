// A cold browser goes to the list of documents, and to one document: what is sent, and when it is there.
import { instrumented, launch, loaded, openAndType, signedIn } from './page.mjs'

export async function measure(settings) {
  const { url, chromium, key, runs } = settings
  const browser = await launch(chromium)
  const state = await signedIn(browser, settings)
  const lists = []
  const documents = []
  let files = []
  let listFiles = []
  for (let at = 0; at < runs; at++) {
    const list = await instrumented(browser, state)
    await list.goto(`${url}/docs`, { waitUntil: 'commit' })
    lists.push(
      await list.evaluate(
        (href) =>
          new Promise((done) => {
            const look = () => {
              if (!document.querySelector(`main a[href="${href}"]`)) return false
              globalThis.bench.painted(done)
              return true
            }
            if (!look()) new MutationObserver((_, self) => look() && self.disconnect()).observe(document, { subtree: true, childList: true })
          }),
        `/docs/${key}`,
      ),
    )
    listFiles = await loaded(list)
    await list.context().close()
    const page = await instrumented(browser, state)
    documents.push(await openAndType(page, url, `/docs/${key}`))
    files = await loaded(page)
    await page.context().close()
  }
  const version = browser.version()
  await browser.close()
  return { version, lists, documents, files, listFiles }
}
