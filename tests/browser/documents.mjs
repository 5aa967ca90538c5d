// What the scenarios about documents have in common: people come in, documents are made and shared.
import { goToEnd, inside, launch, person, standing, textThat } from './browser.mjs'

export const PASSWORD = 'zebra-quartz-mumble-74'
export const PEOPLE = { ada: 'ada@example.org', grace: 'grace@example.org', linus: 'linus@example.org' }

/** Somebody signed in, on the home of documents. The form has tests of its own. */
export async function member(browser, url, name, options = {}) {
  const page = await person(browser, `${url}/docs`, options, async ({ request }) => {
    const answer = await request.post(`${url}/api/v1/session`, { data: { email: PEOPLE[name], password: PASSWORD }, headers: { origin: url } })
    if (!answer.ok()) throw new Error(`${name} could not sign in: ${answer.status()} ${await answer.text()}`)
  })
  await inside(page)
  return page
}

/** Calls the HTTP API as whoever is signed in on the page. Returns the answer's JSON; null without one. */
export async function call(page, method, path, body = undefined) {
  return page.evaluate(
    async ([method, path, body]) => {
      const response = await fetch(`/api/v1/${path}`, { method, headers: body === undefined ? {} : { 'content-type': 'application/json' }, ...(body === undefined ? {} : { body: JSON.stringify(body) }) })
      if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${await response.text()}`)
      return response.status === 204 ? null : response.json()
    },
    [method, path, body],
  )
}

/** Makes a document with Markdown in it. Returns its key. */
export async function documentOf(page, title, content = 'The first line.\n\nThe second line.') {
  const { document } = await call(page, 'POST', 'docs/documents', { title, format: 'markdown', content })
  return document.key
}

export async function share(page, key, name, role) {
  await call(page, 'PUT', `docs/documents/${key}/people`, { email: PEOPLE[name], role })
}

/** Opens a document and resolves when its text is there and up to date. */
export async function open(page, url, key) {
  await page.goto(`${url}/docs/${key}`)
  await page.waitForSelector('.surface .ProseMirror, .surface .doc-text')
  await standing(page, 'saved')
}

/** Types at the end of the text. */
export async function write(page, words) {
  await goToEnd(page)
  await page.keyboard.type(words)
}

/** Selects `words` in the text, by the keyboard's own means. */
export async function select(page, words) {
  await page.evaluate((words) => {
    const root = document.querySelector('.ProseMirror')
    const walker = document.createTreeWalker(root, NodeFilter.SHOW_TEXT)
    for (let node = walker.nextNode(); node; node = walker.nextNode()) {
      const at = node.data.indexOf(words)
      if (at === -1) continue
      root.focus()
      getSelection().setBaseAndExtent(node, at, node, at + words.length)
      return
    }
    throw new Error(`${words} is not in the text`)
  }, words)
  // The editor takes the selection over with the next event.
  await page.waitForFunction(() => !document.querySelector('.toolbar [aria-label^="Comment"], .toolbar [aria-label^="Commenter"]')?.disabled)
}

export const errorsOf = (...pages) => pages.flatMap(({ said }) => said.errors)

export { goToEnd, launch, person, standing, textThat }
