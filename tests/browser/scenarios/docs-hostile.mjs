// What somebody pastes, drops, imports and types that nobody should: nothing runs, nothing is lost, and words say why.
import { text } from '../browser.mjs'
import { call, documentOf, errorsOf, goToEnd, launch, member, open, select, share, standing, textThat, write } from '../documents.mjs'

/** Notes what a page must never do: open dialogs or windows, run what came in, leave the app. */
async function guard(page) {
  page.crimes = []
  page.on('dialog', (dialog) => {
    page.crimes.push(`dialog: ${dialog.message()}`)
    void dialog.dismiss()
  })
  page.context().on('page', () => page.crimes.push('a window'))
  await page.exposeFunction('hacked', (how) => page.crimes.push(how))
}

/** Pastes (or drops into the first block) data by type, or what `make` (its source) returns, and files: by content, or by `size`. */
async function give(page, event, { make = '() => ({})', files = [] }) {
  await page.evaluate(
    ([event, make, files]) => {
      const data = new DataTransfer()
      for (const [type, content] of Object.entries(new Function(`return (${make})()`)())) data.setData(type, content)
      for (const { name, type, base64, size } of files) {
        const content = size === undefined ? Uint8Array.from(atob(base64), (char) => char.charCodeAt(0)) : new Uint8Array(size)
        data.items.add(new File([content], name, { type }))
      }
      const field = document.querySelector('.ProseMirror')
      field.focus()
      const { left, bottom } = field.firstElementChild.getBoundingClientRect()
      const how = { bubbles: true, cancelable: true, clientX: left + 2, clientY: bottom - 4 }
      const made = event === 'paste' ? new ClipboardEvent('paste', { ...how, clipboardData: data }) : new DragEvent('drop', { ...how, dataTransfer: data })
      field.dispatchEvent(made)
    },
    [event, String(make), files],
  )
}
const paste = (page, what) => give(page, 'paste', what)

/** What the toasts say; they are closed then. */
async function told(page) {
  const said = await page.locator('.toast .body p:first-child').allTextContents()
  for (const button of await page.locator('.toast .close').all()) await button.click()
  return said
}

const LARGE = {
  'text of 50 MB': () => ({ 'text/plain': 'All work and no play. '.repeat(2_400_000) }),
  'HTML of 50 MB': () => ({ 'text/html': `<p>${'<b>All</b> work and no play. '.repeat(1_700_000)}</p>` }),
  'text of 5 MB': () => ({ 'text/plain': 'All work\n'.repeat(560_000) }),
  'a line of a megabyte': () => ({ 'text/plain': 'All work and no play. '.repeat(45_000) }),
  'too many paragraphs': () => ({ 'text/html': '<p>All work</p>'.repeat(70_000) }),
  'too many lines': () => ({ 'text/plain': 'All\n'.repeat(25_000) }),
  'a word in deep quotes': () => ({ 'text/html': `${'<blockquote>'.repeat(300)}deep${'</blockquote>'.repeat(300)}` }),
  'a deep quote': () => ({ 'text/html': `<p>up</p>${'<blockquote>'.repeat(300)}deep${'</blockquote>'.repeat(300)}<p>down</p>` }),
  'a deep list': () => ({ 'text/html': `${'<ul><li>a'.repeat(100)}${'</li></ul>'.repeat(100)}` }),
  'tags without an end': () => ({ 'text/html': `<p>start</p>${'<img '.repeat(200_000)}` }),
  'breaks without an end': () => ({ 'text/plain': `${'\n'.repeat(900_000)}end` }),
  'a novel': () => ({ 'text/plain': Array.from({ length: 2000 }, (_, at) => `${at} ${'All work and no play makes a dull boy. '.repeat(8)}`).join('\n') }),
}

/** Too much, too deep, too odd: what is said, and what the document holds then. Also as JSON, to be checked. */
export async function pastes({ url, chromium }) {
  const browser = await launch(chromium)
  const ada = await member(browser, url, 'ada')
  await guard(ada)
  const documents = {}
  const said = {}
  const missing = []
  for (const [name, make] of Object.entries(LARGE)) {
    const key = await documentOf(ada, name, 'First.\n\nLast.')
    await open(ada, url, key)
    await goToEnd(ada)
    await paste(ada, { make })
    // The page answers: the next letter is there, and saved.
    await ada.keyboard.type('§')
    await textThat(ada, `a letter after ${name}`, (whole) => whole.includes('§'))
    await standing(ada, 'saved')
    const whole = await text(ada)
    if (!whole.includes('First.') || !whole.includes('Last.')) missing.push(name)
    said[name] = await told(ada)
    documents[name] = await call(ada, 'GET', `docs/documents/${key}/content?format=json`)
  }
  const result = { said, documents, missing, crimes: ada.crimes, errors: errorsOf(ada) }
  await browser.close()
  return result
}

/** Waits for the card of a file on its way to fail, takes it away, and returns what it said. */
async function failure(page) {
  const card = page.locator('.doc-upload')
  await page.waitForFunction(() => document.querySelector('.doc-upload-failure')?.textContent)
  const said = await card.locator('.doc-upload-failure').textContent()
  await card.getByRole('button', { name: 'Remove' }).click()
  await card.waitFor({ state: 'detached' })
  return said
}

/** Files that are no good images, pasted one by one. `polyglot` is a good one with a script behind its end. */
export async function images({ url, chromium, hostile, polyglot }) {
  const browser = await launch(chromium)
  const ada = await member(browser, url, 'ada')
  await guard(ada)
  const key = await documentOf(ada, 'Pictures', 'First.')
  await open(ada, url, key)
  ada.said.expected = /status of 4(00|13|15|22)/
  const said = {}
  for (const file of hostile) {
    await paste(ada, { files: [file] })
    const first = ada.locator('.doc-upload, .toast .body').first()
    await first.waitFor()
    said[file.name] = (await ada.locator('.doc-upload').count()) > 0 ? await failure(ada) : (await told(ada)).join()
  }
  // A page that is dropped does not take the place of this one.
  await give(ada, 'drop', { files: hostile.filter(({ name }) => name === 'page.html') })
  await ada.locator('.toast .body').first().waitFor()
  const dropped = await told(ada)
  const stayed = new URL(ada.url()).pathname.endsWith(key)
  await write(ada, 'Still here.')
  await standing(ada, 'saved')
  const whole = await text(ada)
  await paste(ada, { files: [polyglot] })
  await ada.waitForFunction(() => document.querySelector('.doc-image img')?.naturalWidth > 0)
  const kept = await ada.evaluate(async (key) => {
    const { content } = await (await fetch(`/api/v1/docs/documents/${key}/content?format=json`)).json()
    const { file } = content.find(({ type }) => type === 'image').attrs
    const response = await fetch(`/api/v1/docs/documents/${key}/files/${file}`)
    const bytes = await response.clone().text()
    return { clean: !bytes.includes('hacked'), type: response.headers.get('content-type'), nosniff: response.headers.get('x-content-type-options') }
  }, key)
  const width = await ada.evaluate(() => document.querySelector('.doc-image img').naturalWidth)
  const result = { said, dropped, stayed, text: whole, polyglot: { width, ...kept }, crimes: ada.crimes, errors: errorsOf(ada) }
  await browser.close()
  return result
}

/** How wide the document's pictures are, once as many as `count` have come. */
async function widths(page, count) {
  await page.waitForFunction((count) => [...document.querySelectorAll('.doc-image img')].filter(({ naturalWidth }) => naturalWidth > 0).length === count, count)
  return (await page.evaluate(() => [...document.querySelectorAll('.doc-image img')].map(({ naturalWidth }) => naturalWidth))).sort()
}

/** Good images by paste, drop and button: two people see them, also after a reload, and without a line. */
export async function good_images({ url, chromium, files }) {
  const browser = await launch(chromium)
  const [ada, grace] = [await member(browser, url, 'ada'), await member(browser, url, 'grace')]
  const key = await documentOf(ada, 'Pictures', 'First.\n\nLast.')
  await share(ada, key, 'grace', 'editor')
  await Promise.all([open(ada, url, key), open(grace, url, key)])
  await paste(ada, { files: [files[0]] })
  await widths(ada, 1)
  await give(ada, 'drop', { files: [files[1]] })
  await widths(ada, 2)
  const chooser = ada.waitForEvent('filechooser')
  await ada.getByRole('button', { name: 'Insert an image' }).click()
  const { name, type, base64 } = files[2]
  await (await chooser).setFiles([{ name, mimeType: type, buffer: Buffer.from(base64, 'base64') }])
  const both = [await widths(ada, 3), await widths(grace, 3)]
  await standing(ada, 'saved')
  await ada.reload()
  const reloaded = await widths(ada, 3)
  ada.said.mayBeDown = true
  await ada.context().setOffline(true)
  await ada.reload()
  const offline = await widths(ada, 3)
  const result = { both, reloaded, offline, errors: errorsOf(ada, grace) }
  await browser.close()
  return result
}

const HOSTILE = String.raw`<html xmlns:o="urn:schemas-microsoft-com:office:office"><head><base href="https://evil.example/">
<style>@import url(https://evil.example/x.css); p { background: url(https://evil.example/p.png) }</style>
<link rel="stylesheet" href="https://evil.example/x.css"><meta http-equiv="refresh" content="0;url=https://evil.example/">
<script>hacked('script')</script></head><body onload="hacked('load')" background="https://evil.example/b.png">
<!--[if gte mso 9]><xml><o:OfficeDocumentSettings><o:x onclick="hacked('mso')"/></o:OfficeDocumentSettings></xml><![endif]-->
<p class="MsoNormal" style="mso-margin-top:0;color:red;background:url(https://evil.example/s.png)" onclick="hacked('click')">Plain words.</p>
<p><img src="https://evil.example/i.png" onerror="hacked('img')"><img src="x" onerror="hacked('img')"><svg onload="hacked('svg')"><script>hacked('svg script')</script></svg></p>
<iframe src="javascript:hacked('iframe')" srcdoc="&lt;script&gt;parent.hacked('srcdoc')&lt;/script&gt;"></iframe>
<object data="data:text/html,<script>hacked('object')</script>"></object><embed src="javascript:hacked('embed')">
<math><mtext><table><mglyph><style><!--</style><img title="--&gt;&lt;img src=1 onerror=hacked('mxss')&gt;"></mglyph></table></mtext></math>
<p><a href="javascript:hacked('link')">one</a> <a href="jAvA&#9;scr&#10;ipt:hacked('tab')">two</a> <a href="data:text/html,<script>hacked('data')</script>">three</a>
<a href=" &#1;javascript:hacked('control')">four</a> <a href="vbscript:hacked('vb')">five</a> <a href="https://example.org/good">six</a></p>
<form action="javascript:hacked('form')"><input autofocus onfocus="hacked('focus')"><button formaction="javascript:hacked('button')">go</button></form>
<details open ontoggle="hacked('toggle')">more</details><video><source onerror="hacked('video')"></video>
<table background="https://evil.example/t.png"><tr><td onmouseover="hacked('cell')">cell</td></tr></table></body></html>`

const MARKDOWN = `# Plain words.

[one](javascript:hacked('markdown')) [six](https://example.org/good) <https://example.org/good> ![](javascript:hacked('image'))

<script>hacked('markdown script')</script>

<img src=x onerror="hacked('markdown image')">
`

/** Runs what runs by itself, follows every link, and says where links lead and whether the words are there. */
async function examine(page) {
  await textThat(page, 'the plain words', (whole) => whole.includes('Plain words.'))
  await page.locator('.ProseMirror').hover()
  for (const link of await page.locator('.ProseMirror a').all()) if ((await link.getAttribute('href')) === null) await link.click()
  const links = await page.evaluate(() => [...new Set([...document.querySelectorAll('.ProseMirror a[href]')].map(({ href }) => href))].sort())
  const odd = await page.evaluate(() => document.querySelectorAll('.ProseMirror :is(script, style, iframe, object, embed, form, svg, math, link, [onclick], [onerror], [src^="http"])').length)
  return { links, odd }
}

/** The same hostile page pasted in two ways, imported as HTML and as Markdown; a link typed by hand. */
export async function markup({ url, chromium, forged }) {
  const browser = await launch(chromium)
  const ada = await member(browser, url, 'ada')
  await guard(ada)
  const foreign = []
  ada.on('request', (request) => {
    if (!request.url().startsWith(url) && !/^(blob|data):/.test(request.url())) foreign.push(request.url())
  })
  const found = {}
  const exported = {}
  const look = async (name, key) => {
    found[name] = await examine(ada)
    await standing(ada, 'saved')
    const html = await ada.evaluate(async (key) => (await fetch(`/api/v1/docs/documents/${key}/content?format=html`)).text(), key)
    exported[name] = /<(script|iframe|svg|object|embed|form|base|meta http-equiv="?refresh)|\son\w+=|href="?\s*(javascript|data|vbscript)/i.exec(html)?.[0] ?? null
  }
  for (const [name, around] of Object.entries({ pasted: (html) => html, 'as our own': (html) => `<meta charset="utf-8"><div data-pm-slice="0 0 []">${html}</div>` })) {
    const key = await documentOf(ada, name)
    await open(ada, url, key)
    await paste(ada, { make: `() => ({ 'text/html': ${JSON.stringify(around(HOSTILE))} })` })
    await look(name, key)
  }
  for (const [name, type, content] of [['page.html', 'text/html', HOSTILE], ['notes.md', 'text/markdown', MARKDOWN]]) {
    const key = await ada.evaluate(
      async ([name, type, content]) => (await (await fetch(`/api/v1/docs/import?name=${name}`, { method: 'POST', headers: { 'content-type': type }, body: content })).json()).document.key,
      [name, type, content],
    )
    await open(ada, url, key)
    await look(name, key)
  }
  // Written by a program that asks no editor.
  await open(ada, url, forged)
  await look('forged', forged)
  const written = await text(ada)

  const key = await documentOf(ada, 'typed', 'Plain words.')
  await open(ada, url, key)
  const refusals = []
  for (const address of ['javascript:hacked(1)', 'java\u200bscript:hacked(2)', 'data:text/html,<script>hacked(3)</script>']) {
    await select(ada, 'words')
    await ada.keyboard.press('Control+k')
    await ada.locator('.doc-link input').fill(address)
    await ada.keyboard.press('Enter')
    refusals.push(await ada.locator('.doc-link-failure').textContent())
    await ada.keyboard.press('Escape')
  }
  await look('typed', key)
  const result = { found, exported, written, refusals, foreign, crimes: ada.crimes, errors: errorsOf(ada) }
  await browser.close()
  return result
}
