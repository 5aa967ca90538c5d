// Writing in a document: keys, menus, tables, images, what is pasted, find and replace.
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { caretKnown, faults, text } from '../browser.mjs'
import { documentOf, errorsOf, launch, member, open, share, standing, textThat } from '../documents.mjs'

const FIXTURES = new URL('../../../clients/web/src/products/docs/editor/paste/fixtures/', import.meta.url)
const fixture = (name) => readFileSync(fileURLToPath(new URL(`${name}.html`, FIXTURES)), 'utf-8')
/** A PNG of 400 × 200 pixels. */
const drawPng = (page) =>
  page.evaluate(async () => {
    const canvas = new OffscreenCanvas(400, 200)
    const brush = canvas.getContext('2d')
    brush.fillStyle = '#335577'
    brush.fillRect(0, 0, 400, 200)
    return [...new Uint8Array(await (await canvas.convertToBlob({ type: 'image/png' })).arrayBuffer())]
  })

/** Somebody at the end of a document of their own, ready to type. */
async function writer({ url, chromium }, content = '', options = {}) {
  const browser = await launch(chromium)
  const page = await member(browser, url, 'ada', options)
  const key = await documentOf(page, 'Written here', content)
  await open(page, url, key)
  await toEnd(page)
  return { browser, page, key, keys: page.keyboard }
}

/** Puts the cursor at the end, as soon as there is a cursor. */
async function toEnd(page) {
  await page.focus('.ProseMirror')
  await page.waitForFunction(() => document.querySelector('.ProseMirror').contains(getSelection().anchorNode))
  await page.keyboard.press('Control+End')
}

/** Another document, in the same page. */
async function another(page, url, content = '') {
  const key = await documentOf(page, 'Another', content)
  await open(page, url, key)
  await toEnd(page)
  return key
}

/** The document as the server gives it out, once it has everything. */
async function stored(page, key, format = 'markdown') {
  await standing(page, 'saved')
  return page.evaluate(
    async ([key, format]) => {
      const response = await fetch(`/api/v1/docs/documents/${key}/content?format=${format}`)
      if (!response.ok) throw new Error(`${response.status} ${await response.text()}`)
      return format === 'json' ? response.json() : response.text()
    },
    [key, format],
  )
}

async function press(page, key, times = 1) {
  for (let time = 0; time < times; time += 1) await page.keyboard.press(key)
}

/** Puts this on the clipboard as another program would, and pastes it by the keyboard. */
async function paste(page, data, keys = 'Control+v') {
  await page.evaluate((data) => {
    const copy = (event) => {
      for (const [type, value] of Object.entries(data)) event.clipboardData.setData(type, value)
      event.preventDefault()
      event.stopImmediatePropagation()
    }
    addEventListener('copy', copy, { capture: true, once: true })
  }, data)
  await page.keyboard.press('Control+c')
  await page.keyboard.press(keys)
}

/** What has the focus: its tag and its name. */
const focused = (page) =>
  page.evaluate(() => {
    const { activeElement: at } = document
    return at?.classList.contains('ProseMirror') ? 'text' : `${at?.tagName.toLowerCase()} ${at?.getAttribute('aria-label') ?? at?.textContent ?? ''}`.trim()
  })
const options = (page) => page.locator('.doc-list [role=option] .doc-option-label').allTextContents()
const chosen = (page) =>
  page.evaluate(() => {
    const id = document.activeElement?.getAttribute('aria-activedescendant')
    return (id && document.getElementById(id)?.querySelector('.doc-option-label')?.textContent) || null
  })
const isClosed = async (page) => (await page.locator('.doc-list:visible').count()) === 0
/** Opens the tools of the selection by the keyboard; they come a moment after it. */
async function tools(page) {
  await page.waitForSelector('.doc-bubble:not([hidden])')
  await page.keyboard.press('Alt+F10')
}

/** Everything at once, as fast as keys go: what is typed becomes what it means, at its place. */
export async function typing(settings) {
  const { browser, page, key, keys } = await writer(settings)
  await keys.type('# Title\nSome **bold**, *slanted*, ~~gone~~ and `code` here\n- one\ntwo\n\n3. three\nfour\n\n[ ] open\n\n[x] done\n\n> said\n\n```js const a = "#"\nlet b')
  await press(page, 'Control+Enter')
  await keys.type('## Under it\nThe end.')
  const shown = await stored(page, key)
  const language = JSON.stringify(await stored(page, key, 'json')).match(/"language":"(\w+)"/)?.[1]
  const colours = await page.waitForSelector('.hljs-keyword').then((each) => each.textContent())
  // Another language from the list, and the keys go on in the code.
  await page.locator('.ProseMirror pre').click()
  await press(page, 'End')
  await page.locator('.doc-code-language').click()
  await page.waitForSelector('.doc-languages input:focus')
  const wrong = await faults(page)
  await keys.type('pyth')
  await press(page, 'Enter')
  await keys.type(' # py')
  const python = (await stored(page, key)).match(/```python[^`]*```/)?.[0]
  // Many headings and lists in a row, over and over.
  const second = await another(page, settings.url)
  for (let turn = 1; turn <= 5; turn += 1) await keys.type(`${'#'.repeat(turn)} Head ${turn}\nText ${turn}\n- a\nb\n\n`)
  const many = await stored(page, second)
  const result = { shown, language, colours, python, many, wrong, errors: errorsOf(page) }
  await browser.close()
  return result
}

/** Enter, Backspace, Tab and Escape in headings, lists and at what a rule has made. */
export async function blocks(settings) {
  const { browser, page, key, keys } = await writer(settings)
  const at = {}
  const next = async (name, content, act) => {
    const made = await another(page, settings.url, content)
    await act()
    at[name] = await stored(page, made)
  }
  await keys.type('# Whole')
  await press(page, 'ArrowLeft', 2)
  await press(page, 'Enter')
  await keys.type('x')
  at.split = await stored(page, key)
  await next('plain', '## Head', async () => {
    await press(page, 'Home')
    await press(page, 'Backspace')
    await keys.type('No ')
  })
  await next('before', '## Head', async () => {
    await press(page, 'Home')
    await press(page, 'Enter')
    await keys.type('x')
  })
  await next('undone', '', async () => {
    await keys.type('# ')
    await press(page, 'Backspace')
    await keys.type('1')
  })
  await next('nested', '- one', async () => {
    await keys.type('\ntwo')
    await press(page, 'Tab')
    await keys.type('\nthree')
    await press(page, 'Tab')
    await keys.type('\nfour')
    await press(page, 'Shift+Tab')
    await keys.type('\n\n\nfive\n\nout')
  })
  await next('lifted', '- one\n- two', async () => {
    await press(page, 'Home')
    await press(page, 'Backspace')
    await keys.type('x')
  })
  await next('joined', 'one\n\ntwo', async () => {
    await press(page, 'Home')
    await press(page, 'Backspace')
    await keys.type(' ')
  })
  await next('tasks', '- [ ] one', async () => {
    await press(page, 'Control+Enter')
    await keys.type('\ntwo')
    await press(page, 'Shift+Enter')
    await keys.type('more')
  })
  await next('quote', '> one', async () => keys.type('\n\nout'))
  await next('code', '```\nif a:\n```', async () => {
    await press(page, 'Enter')
    await press(page, 'Tab')
    await keys.type('b')
    await press(page, 'Control+Enter')
    await keys.type('out')
  })
  // Tab leaves the text only after Escape; there is a way back.
  await another(page, settings.url, '- one\n- two')
  await press(page, 'Escape')
  await press(page, 'Tab')
  const left = await focused(page)
  const result = { at, left: left !== 'text', errors: errorsOf(page) }
  await browser.close()
  return result
}

/** The menu after a slash, by the keyboard alone. */
export async function slash(settings) {
  const { browser, page, key, keys } = await writer(settings)
  await keys.type('/')
  await page.waitForSelector('.doc-list [role=option]')
  const all = await options(page)
  const wrong = await faults(page)
  await press(page, 'ArrowDown', 2)
  const third = await chosen(page)
  await press(page, 'ArrowUp')
  await press(page, 'Enter')
  await keys.type('Chosen\nSee /')
  await page.waitForSelector('.doc-list [role=option]')
  await press(page, 'Escape')
  const closed = await isClosed(page)
  await keys.type('x\n/todo')
  await page.waitForFunction(() => document.querySelectorAll('.doc-list [role=option]').length === 1)
  await press(page, 'Enter')
  await keys.type('task\n\n/line')
  await page.waitForFunction(() => document.querySelector('.doc-list [role=option]')?.textContent.startsWith('Line'))
  await press(page, 'Enter')
  await keys.type('/zzzz and on')
  const none = await isClosed(page)
  const shown = await stored(page, key)
  const result = { all, third, closed, none, shown, wrong, errors: errorsOf(page) }
  await browser.close()
  return result
}

/** Marks, links and refused links, from the tools over a selection and from the clipboard. */
export async function marks(settings) {
  const { browser, page, key, keys } = await writer(settings, 'First.\n\nSome words here')
  await press(page, 'Control+Shift+ArrowLeft')
  await page.waitForSelector('.doc-bubble:not([hidden])')
  const wrong = await faults(page)
  await tools(page)
  const first = await focused(page)
  await press(page, 'ArrowRight')
  const second = await focused(page)
  await press(page, 'ArrowLeft')
  await press(page, 'Enter')
  await tools(page)
  await press(page, 'Escape')
  const back = await focused(page)
  await press(page, 'Control+i')
  await press(page, 'ArrowRight')
  await keys.type('!')
  // A link by the keyboard; an address that would run a script is refused with words.
  await press(page, 'Home')
  await press(page, 'Control+Shift+ArrowRight')
  await press(page, 'Control+k')
  await page.waitForSelector('.doc-link input:focus')
  wrong.push(...(await faults(page)))
  await keys.type('javascript:alert(1)\n')
  const refused = await page.locator('.doc-link-failure').textContent()
  await press(page, 'Control+a')
  await keys.type('example.org/a\n')
  const linked = await focused(page)
  await press(page, 'End')
  await keys.type(' See this')
  await press(page, 'Control+Shift+ArrowLeft')
  await paste(page, { 'text/plain': 'https://example.org/b' })
  await press(page, 'ArrowRight')
  await keys.type(' and that')
  await press(page, 'Control+Shift+ArrowLeft')
  await paste(page, { 'text/plain': 'javascript:alert(2)' })
  await paste(page, { 'text/html': '<a href="javascript:alert(3)">three</a><img src="x" onerror="alert(4)">', 'text/plain': 'three' })
  const shown = await stored(page, key)
  const hrefs = await page.locator('.ProseMirror a').evaluateAll((links) => links.map((link) => link.getAttribute('href')))
  const result = { first, second, back, refused, linked, shown, hrefs, wrong, errors: errorsOf(page) }
  await browser.close()
  return result
}

/** Somebody is mentioned by the keyboard. */
export async function mention(settings) {
  const { browser, page, key, keys } = await writer(settings)
  await share(page, key, 'grace', 'editor')
  await keys.type('Ask @')
  await page.waitForSelector('.doc-list [role=option]')
  const wrong = await faults(page)
  await keys.type('gra')
  await page.waitForFunction(() => document.querySelector('.doc-list [role=option]')?.textContent.includes('Grace Hopper') && document.querySelectorAll('.doc-list [role=option]').length === 1)
  await press(page, 'Enter')
  await keys.type('today, me@example.org')
  const closed = await isClosed(page)
  const shown = await text(page)
  const mentions = JSON.stringify(await stored(page, key, 'json')).match(/"mention"/g)?.length
  // It is one thing: Backspace takes it away whole.
  await press(page, 'Home')
  await press(page, 'ArrowRight', 5)
  await press(page, 'Backspace')
  const without = await text(page)
  const result = { shown, mentions, closed, without, wrong, errors: errorsOf(page) }
  await browser.close()
  return result
}

/** A table: made, filled, grown, merged, split, made wider and thrown away. */
export async function table(settings) {
  const { browser, page, key, keys } = await writer(settings)
  await page.getByRole('button', { name: 'Insert a table' }).click()
  await keys.type('A')
  await press(page, 'Tab')
  await keys.type('B')
  await press(page, 'Tab')
  await keys.type('C')
  await press(page, 'ArrowDown')
  await keys.type('down')
  await press(page, 'Shift+Tab')
  await keys.type('back')
  await press(page, 'Control+End')
  const cells = () => page.locator('.ProseMirror table').evaluate((table) => [...table.rows].map((row) => [...row.cells].map((cell) => `${cell.textContent}${cell.colSpan > 1 ? `*${cell.colSpan}` : ''}`).join('|')))
  const typed = await cells()
  await page.locator('.ProseMirror table td').last().click()
  await keys.type('last')
  await press(page, 'Tab')
  await keys.type('new row')
  const grown = await cells()
  await tools(page)
  const wrong = await faults(page)
  const step = async (name) => {
    await tools(page)
    for (let turn = 0; (await focused(page)) !== `button ${name}`; turn += 1) {
      if (turn > 12) throw new Error(`no ${name} in the tools`)
      await press(page, 'ArrowRight')
    }
    await press(page, 'Enter')
  }
  await step('Column after')
  const wider = await cells()
  await press(page, 'Tab')
  await step('Delete column')
  await step('Row above')
  const taller = await cells()
  await step('Delete row')
  const shorter = await cells()
  // Two cells at once, by the keyboard.
  await page.locator('.ProseMirror table th').first().click()
  await press(page, 'End')
  await press(page, 'Shift+ArrowRight')
  await page.waitForSelector('.selectedCell')
  await step('Merge cells')
  const merged = await cells()
  await step('Split cell')
  const split = await cells()
  // Wider by the mouse.
  const edge = await page.locator('.ProseMirror table td').first().boundingBox()
  const [x, y] = [edge.x + edge.width, edge.y + edge.height / 2]
  await page.mouse.move(x - 1, y)
  await page.waitForSelector('.column-resize-handle')
  await page.mouse.down()
  await page.mouse.move(x + 39, y, { steps: 4 })
  await page.mouse.up()
  const after = await page.locator('.ProseMirror table td').first().boundingBox()
  const widths = JSON.stringify(await stored(page, key, 'json')).match(/"colwidth":\[\d+\]/g)?.length ?? 0
  await page.locator('.ProseMirror table td').first().click()
  await step('Delete table')
  await keys.type('gone')
  const shown = await stored(page, key)
  const result = { typed, grown, wider, taller, shorter, merged, split, by: Math.round(after.width - edge.width), widths: widths > 0, shown, wrong, errors: errorsOf(page) }
  await browser.close()
  return result
}

/** An image from this device: described and made smaller by the keyboard. */
export async function image(settings) {
  const { browser, page, key, keys } = await writer(settings, 'Before')
  // Playwright begins to catch choosers when somebody listens, and does not say when it does.
  page.on('filechooser', () => undefined)
  const file = { name: 'harbour.png', mimeType: 'image/png', buffer: Buffer.from(await drawPng(page)) }
  await keys.type('\n/ima')
  await page.waitForFunction(() => document.querySelector('.doc-list [role=option]')?.textContent.startsWith('Image'))
  const [chooser] = await Promise.all([page.waitForEvent('filechooser'), press(page, 'Enter')])
  await chooser.setFiles([file])
  await page.waitForFunction(() => document.querySelector('.doc-image img')?.naturalWidth === 400)
  // What is no image is refused with words.
  const [again] = await Promise.all([page.waitForEvent('filechooser'), page.getByRole('button', { name: 'Insert an image' }).click()])
  await again.setFiles([{ name: 'notes.txt', mimeType: 'text/plain', buffer: Buffer.from('no') }])
  const refused = await page.locator('.toast, [role=alert]').filter({ hasText: 'notes.txt' }).first().textContent()
  // By the keyboard from the line above.
  await page.focus('.ProseMirror')
  await press(page, 'Control+Home')
  await press(page, 'End')
  await press(page, 'ArrowRight')
  await page.waitForSelector('.doc-image.is-selected')
  await tools(page)
  const wrong = await faults(page)
  const field = await focused(page)
  await keys.type('The harbour, seen from above\n')
  const back = await focused(page)
  await page.locator('.doc-image-handle.is-end').focus()
  await press(page, 'ArrowLeft', 3)
  await press(page, 'Shift+ArrowLeft')
  const slider = await page.locator('.doc-image-handle.is-end').getAttribute('aria-valuenow')
  const document = await stored(page, key, 'json')
  const found = JSON.stringify(document).match(/\{"type":"image","attrs":(\{[^}]*\})/)?.[1]
  const { alt, width, naturalWidth } = JSON.parse(found)
  // A reload shows it from the server, with its words.
  await page.reload()
  await page.waitForFunction(() => document.querySelector('.doc-image img')?.naturalWidth === 400)
  const named = await page.locator('.doc-image img').getAttribute('alt')
  const result = { refused, field, back, slider, alt, width, naturalWidth, named, wrong, errors: errorsOf(page) }
  await browser.close()
  return result
}

/** What other programs put on the clipboard, by the keyboard. */
export async function pasting(settings) {
  const { browser, page, key, keys } = await writer(settings)
  const shown = {}
  for (const name of ['word', 'google-docs', 'libreoffice']) {
    const made = await another(page, settings.url)
    await paste(page, { 'text/html': fixture(name), 'text/plain': 'as plain text' })
    await page.waitForSelector('.ProseMirror table')
    shown[name] = await stored(page, made)
  }
  // Markdown becomes what it means; one undo gives the text as it was, another takes it away.
  await another(page, settings.url, 'Start')
  await keys.type(' here\n')
  await paste(page, { 'text/plain': '## Sub\n\n- a\n- b\n\n**x**' })
  await page.waitForSelector('.ProseMirror h2')
  const markdown = await text(page)
  await press(page, 'Control+z')
  const plain = await text(page)
  await press(page, 'Control+z')
  const nothing = await text(page)
  // As plain text with Shift, whatever it is.
  await another(page, settings.url)
  await paste(page, { 'text/html': '<b>fat</b>', 'text/plain': '**fat**' }, 'Control+Shift+v')
  const unformatted = await text(page)
  const bold = await page.locator('.ProseMirror strong').count()
  const result = { shown, markdown, plain, nothing, unformatted, bold, errors: errorsOf(page) }
  await browser.close()
  return result
}

/** Find and replace; the outline and the count of words follow what is written. */
export async function finding(settings) {
  const content = '# One fish\n\nTwo fish, red Fish.\n\n## Blue fish\n\nNo **fi**shes.'
  const { browser, page, key, keys } = await writer(settings, content)
  await page.waitForFunction(() => document.querySelectorAll('nav.outline li').length === 2)
  await keys.type(' And more words')
  await keys.type('\n# Third')
  await page.waitForFunction(() => document.querySelectorAll('nav.outline li').length === 3)
  const outline = await page.locator('nav.outline button').allTextContents()
  await page.waitForFunction(() => document.querySelector('.count')?.textContent.startsWith('14 words'))
  await press(page, 'Shift+Home')
  await page.waitForFunction(() => /^1 (word|of)/.test(document.querySelector('.count')?.textContent ?? ''))
  const counted = await page.locator('.count').textContent()
  await press(page, 'ArrowRight')
  await press(page, 'Control+Alt+f')
  await page.waitForSelector('.doc-find:not([hidden]) input:focus')
  await keys.type('fish')
  const count = () => page.locator('.doc-find-count').textContent()
  await page.waitForFunction(() => /of/.test(document.querySelector('.doc-find-count').textContent))
  const found = (await count()).replace(/^\d+/, 'n')
  const drawn = await page.locator('.ProseMirror .found').count()
  const wrong = await faults(page)
  await press(page, 'Enter')
  const next = await count()
  await press(page, 'Shift+Enter')
  const previous = await count()
  await page.getByRole('button', { name: 'Match case' }).click()
  const cased = (await count()).replace(/^\d+/, 'n')
  await page.getByRole('button', { name: 'Match case' }).click()
  const unchanged = await stored(page, key)
  await page.getByLabel('Replace with').fill('bird')
  await page.getByRole('button', { name: 'Replace all' }).click()
  const said = await count()
  const replaced = await stored(page, key)
  await press(page, 'Escape')
  const back = await focused(page)
  await press(page, 'Control+z')
  const undone = (await stored(page, key)) === unchanged
  const result = { outline, counted, found, drawn, next, previous, cased, said, replaced, back, undone, wrong, errors: errorsOf(page) }
  await browser.close()
  return result
}

/** Right to left, the list of keys, keys typed right after a click in the bar of tools. */
export async function odds(settings) {
  const { browser, page, key, keys } = await writer(settings)
  await keys.type('Left\nשלם רב\n- מימין')
  const directions = await page.locator('.ProseMirror p').evaluateAll((lines) => lines.map((line) => getComputedStyle(line).direction))
  await press(page, 'Control+/')
  await page.getByRole('dialog').waitFor()
  const help = await page.getByRole('dialog').locator('h3').allTextContents()
  const wrong = await faults(page)
  await press(page, 'Escape')
  await page.getByRole('dialog').waitFor({ state: 'detached' })
  await page.waitForFunction(() => document.activeElement?.classList.contains('ProseMirror'))
  await keys.type('!')
  const rightToLeft = await stored(page, key)

  const second = await another(page, settings.url)
  const bar = page.locator('.toolbar')
  await bar.getByRole('button', { name: 'Bold' }).click()
  await keys.type('bold')
  await bar.getByRole('button', { name: 'Bold' }).click()
  await keys.type(' plain\n')
  await bar.getByRole('button', { name: 'Bullet list' }).click()
  await keys.type('item\n\n')
  await bar.locator('button.block').click()
  await page.getByRole('menuitemradio', { name: 'Heading 2' }).waitFor()
  wrong.push(...(await faults(page)))
  await page.getByRole('menuitemradio', { name: 'Heading 2' }).click()
  await keys.type('Head\nafter')
  const clicked = await stored(page, second)
  const result = { directions, help, rightToLeft, clicked, wrong, errors: errorsOf(page) }
  await browser.close()
  return result
}

/** The same menus in French. */
export async function french(settings) {
  const { browser, page, keys } = await writer(settings, '', { locale: 'fr-FR' })
  await keys.type('/')
  await page.waitForSelector('.doc-list [role=option]')
  const all = await options(page)
  await keys.type('tab')
  await page.waitForFunction(() => document.querySelector('.doc-list [role=option]')?.textContent.startsWith('Tableau'))
  await press(page, 'Enter')
  await keys.type('Tête')
  await tools(page)
  const tableTools = await page.locator('.doc-bubble button').evaluateAll((all) => all.map((each) => each.getAttribute('aria-label')))
  await press(page, 'Escape')
  await press(page, 'Shift+Home')
  await page.waitForFunction(() => document.querySelector('.doc-bubble:not([hidden]) [data-mark=bold]'))
  const textTools = await page.locator('.doc-bubble button').evaluateAll((all) => all.map((each) => each.getAttribute('aria-label')))
  await press(page, 'Control+k')
  await page.waitForSelector('.doc-link input:focus')
  await keys.type('javascript:alert(1)\n')
  const refused = await page.locator('.doc-link-failure').textContent()
  await press(page, 'Escape')
  await press(page, 'Control+f')
  await page.waitForSelector('.doc-find:not([hidden]) input:focus')
  await press(page, 'Control+a')
  await keys.type('zzz')
  await page.waitForFunction(() => document.querySelector('.doc-find-count').textContent !== '')
  const none = await page.locator('.doc-find-count').textContent()
  await press(page, 'Escape')
  await press(page, 'Control+/')
  await page.getByRole('dialog').waitFor()
  const help = await page.getByRole('dialog').locator('h3').allTextContents()
  const wrong = await faults(page)
  // Header cells that nobody has filled yet are the person's own.
  const faulty = wrong.filter((each) => !each.startsWith('empty-table-header'))
  const result = { all, tableTools, textTools, refused, none, help, wrong: faulty, errors: errorsOf(page) }
  await browser.close()
  return result
}

/** Everything that is undone is one's own; the place one writes at stays, whatever others do above it. */
export async function others(settings) {
  const { url, chromium } = settings
  const browser = await launch(chromium)
  const [ada, grace, linus] = await Promise.all(['ada', 'grace', 'linus'].map((name) => member(browser, url, name)))
  const lines = Array.from({ length: 60 }, (_, at) => `Line ${at + 1}.`)
  const key = await documentOf(ada, 'Shared', lines.join('\n\n'))
  await share(ada, key, 'grace', 'editor')
  await share(ada, key, 'linus', 'editor')
  await Promise.all([ada, grace, linus].map((page) => open(page, url, key)))
  await toEnd(linus)
  await linus.keyboard.type(' Linus.')
  await toEnd(grace)
  await caretKnown(grace)
  await press(grace, 'Control+Home')
  await grace.keyboard.type('Grace: ')
  await ada.waitForFunction(() => document.querySelectorAll('.others-caret').length === 2)
  const names = (await ada.locator('.others-caret .others-name').allTextContents()).sort()

  // While Grace types above it, Ada selects a word, and writes over it.
  await ada.evaluate(() => {
    const line = [...document.querySelectorAll('.ProseMirror p')].find((each) => each.textContent === 'Line 30.')
    document.querySelector('.ProseMirror').focus()
    getSelection().setBaseAndExtent(line.firstChild, 0, line.firstChild, 4)
  })
  await grace.keyboard.type('many words above, and\n\nlines')
  await ada.waitForFunction(() => document.querySelector('.ProseMirror').textContent.includes('and lines') || document.querySelector('.ProseMirror').textContent.includes('andlines'))
  const selected = await ada.evaluate(() => getSelection().toString())
  await ada.keyboard.type('Ada')

  // Both type at once; keys that move the cursor move it, whatever comes meanwhile.
  const stop = { now: false }
  const busy = (async () => {
    while (!stop.now) await grace.keyboard.type('g')
  })()
  for (let turn = 0; turn < 8; turn += 1) {
    await press(ada, 'Home')
    await ada.keyboard.type('<')
    await press(ada, 'End')
    await ada.keyboard.type('>')
  }
  stop.now = true
  await busy
  const line = await textThat(ada, 'the line', (whole) => whole.includes('>>>>>>>>'))
  const written = line.split('\n').find((each) => each.includes('Ada'))

  // Undo takes back one's own, and leaves what others wrote since.
  await press(ada, 'Control+z', 24)
  const undone = (await text(ada)).split('\n').filter((each) => /^Line 30|Ada|<|>/.test(each))
  const kept = /Grace: many words above/.test(await text(ada)) && (await text(ada)).includes(' Linus.')
  await press(ada, 'Control+Shift+z', 24)
  const redone = (await text(ada)).split('\n').filter((each) => /^Line 30|Ada|<|>/.test(each))
  await press(grace, 'Control+z', 40)
  await grace.waitForFunction(() => !document.querySelector('.ProseMirror').textContent.includes('Grace: '))
  const same = await textThat(ada, "Grace's undo", (whole) => !whole.includes('Grace: '))

  // Ada follows Linus: his end of the document comes into view, until she presses a key.
  await ada.evaluate(() => scrollTo(0, 0))
  await ada.click('.faces')
  await ada.getByRole('dialog').locator('li', { hasText: 'Linus' }).getByRole('button', { name: 'Follow' }).click()
  await ada.waitForSelector('.following')
  const isShown = (words) =>
    ada.waitForFunction((words) => {
      const line = [...document.querySelectorAll('.ProseMirror p')].find((each) => each.textContent.includes(words))
      const { top, bottom } = line?.getBoundingClientRect() ?? { top: -1, bottom: 0 }
      return top > 0 && bottom < innerHeight
    }, words)
  await isShown(' Linus.')
  await press(linus, 'Control+Home')
  await linus.keyboard.type('Up here. ')
  await isShown('Up here.')
  await press(ada, 'Shift')
  await ada.waitForSelector('.following', { state: 'detached' })
  const result = { names, selected, written, undone, kept, redone, same: same.includes(written), wrong: await faults(ada), errors: errorsOf(ada, grace, linus) }
  await browser.close()
  return result
}
