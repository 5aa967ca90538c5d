// The home of documents, and how everything looks: light, dark, on a phone, in French.
import { join } from 'node:path'
import { faults, PHONE } from '../browser.mjs'
import { call, documentOf, errorsOf, launch, member, open, select, share, standing } from '../documents.mjs'

/** A first document, spaces, rename, duplicate, move, search, bin and back, deleting for ever, importing. */
export async function shelves({ url, chromium }) {
  const browser = await launch(chromium)
  const linus = await member(browser, url, 'linus')
  await linus.goto(`${url}/docs?view=mine`)
  await linus.waitForSelector('.empty, .rows')
  await linus.locator('header.bar').getByRole('button', { name: 'New document' }).click()
  await linus.waitForSelector('textarea.title')
  await linus.waitForFunction(() => document.activeElement?.classList.contains('title'))
  await linus.keyboard.type('Proteins')
  await linus.keyboard.press('Enter')
  await linus.keyboard.type('A helix has three point six residues per turn.')
  await standing(linus, 'saved')
  await linus.goto(`${url}/docs?view=mine`)
  await linus.waitForSelector('.rows .open')
  const row = (title) => linus.locator('.rows li', { has: linus.locator('.open', { hasText: title }) }).first()
  const menu = async (title, item) => {
    await row(title).getByRole('button').click()
    await linus.getByRole('menuitem', { name: item }).first().click()
  }
  // By keyboard: F2 renames.
  await row('Proteins').locator('.open').focus()
  await linus.keyboard.press('F2')
  await linus.keyboard.type('The alpha helix')
  await linus.keyboard.press('Enter')
  await row('The alpha helix').waitFor()
  await menu('The alpha helix', 'Duplicate')
  await row('The alpha helix (copy)').waitFor()

  // A space in the sidebar; the copy moves there.
  const space = `Chemistry ${Date.now()}`
  await linus.locator('section').getByRole('button', { name: 'New space' }).click()
  await linus.getByLabel('Name of the space').fill(space)
  await linus.keyboard.press('Enter')
  await linus.waitForURL(/space=/)
  await linus.goto(`${url}/docs?view=mine`)
  await menu('(copy)', 'Move')
  await linus.getByRole('dialog').getByRole('option', { name: space }).click()
  await linus.locator('nav').getByRole('link', { name: space }).click()
  await linus.waitForURL(/space=/)
  await row('(copy)').waitFor()
  const inSpace = await linus.locator('.rows .open').allTextContents()

  await linus.getByRole('searchbox').fill('helix')
  await linus.waitForSelector('.rows mark')
  const hits = await linus.locator('.rows mark').allTextContents()
  // What was typed a moment ago is found as soon as the server has read it.
  for (const deadline = Date.now() + 20_000; ; ) {
    await linus.getByRole('searchbox').fill('')
    await linus.getByRole('searchbox').fill('resid')
    const isThere = await linus.waitForFunction(() => [...document.querySelectorAll('.rows p mark')].some((each) => each.textContent.toLowerCase().startsWith('resid')), null, { timeout: 2000 }).catch(() => null)
    if (isThere !== null) break
    if (Date.now() > deadline) throw new Error('the search never found what was typed')
  }
  await linus.keyboard.press('Escape')

  // Into the bin by key, back by the toast; then in for good.
  await row('(copy)').locator('.open').focus()
  await linus.keyboard.press('Delete')
  await row('(copy)').waitFor({ state: 'detached' })
  await linus.getByRole('button', { name: 'Undo' }).last().click()
  await row('(copy)').waitFor()
  await menu('(copy)', 'Move to the bin')
  await row('(copy)').waitFor({ state: 'detached' })
  await linus.goto(`${url}/docs?view=bin`)
  await menu('(copy)', 'Delete for ever')
  const wrongConfirm = await faults(linus)
  await linus.getByRole('dialog').getByRole('button', { name: 'Delete for ever' }).click()
  await linus.waitForSelector('.empty')
  const empty = await linus.locator('.empty .title').textContent()

  await linus.goto(`${url}/docs`)
  await linus.waitForSelector('.rows')
  await linus.setInputFiles('input[type=file]', [
    { name: 'notes.md', mimeType: 'text/markdown', buffer: Buffer.from('# Notes\n\n- one\n- two\n') },
    { name: 'picture.exe', mimeType: 'application/octet-stream', buffer: Buffer.from('MZ') },
    { name: 'broken.json', mimeType: 'application/json', buffer: Buffer.from('{"type": "nonsense"') },
  ])
  await linus.waitForFunction(() => document.querySelectorAll('.imports .done, .imports .failed').length === 3)
  linus.said.errors = linus.said.errors.filter((each) => !/status of 4/.test(each))
  const imported = await linus.locator('.imports .done .name').allTextContents()
  const failed = await linus.locator('.imports .failed .name').allTextContents()
  const wrong = await faults(linus)
  const result = { inSpace, hits: hits.length > 0, empty, imported, failed, wrong: [...wrong, ...wrongConfirm], errors: errorsOf(linus) }
  await browser.close()
  return result
}

/** Exports arrive as files with the document's name. */
export async function exports({ url, chromium }) {
  const browser = await launch(chromium)
  const ada = await member(browser, url, 'ada')
  const key = await documentOf(ada, 'To take away', '# Title\n\nSome *words* here.')
  await open(ada, url, key)
  const files = {}
  for (const format of ['Markdown', 'HTML', 'text', 'PDF', 'JSON']) {
    await ada.locator('header.bar [aria-label="More about this document"]').click()
    const [download] = await Promise.all([ada.waitForEvent('download'), ada.getByRole('menuitem', { name: `Download as ${format}` }).click()])
    const bytes = Buffer.concat(await (await download.createReadStream()).toArray())
    files[download.suggestedFilename()] = format === 'PDF' ? bytes.subarray(0, 5).toString() : bytes.toString().includes('words')
  }
  const result = { files, errors: errorsOf(ada) }
  await browser.close()
  return result
}

const LOOKS = {
  light: { colorScheme: 'light' },
  dark: { colorScheme: 'dark' },
  french: { colorScheme: 'light', locale: 'fr-FR' },
  phone: { colorScheme: 'light', ...PHONE },
  'phone-dark-french': { colorScheme: 'dark', locale: 'fr-FR', ...PHONE },
}

const MARKDOWN = `# The Analytical Engine

The engine *weaves* **algebraical patterns** just as the Jacquard loom weaves flowers and leaves. See [the notes](https://example.org/notes).

## What it can do

- add and multiply
- repeat, and decide
  - by comparing

> The science of operations is a science of itself.

| Variable | Value |
| --- | --- |
| V1 | 1 |
| V2 | 2 |

\`\`\`python
def bernoulli(n):
    return n
\`\`\`

1. Write it down.
2. Try it out.
`

/** Every view of the documents in each look: what axe finds, what the console says, and a picture in \`folder\`. */
export async function looks({ url, chromium, folder }) {
  const browser = await launch(chromium)
  const [ada, grace] = [await member(browser, url, 'ada'), await member(browser, url, 'grace')]
  const key = await documentOf(ada, 'Notes on the engine', MARKDOWN)
  await share(ada, key, 'grace', 'editor')
  await documentOf(ada, 'Letters to Babbage', 'My dear Babbage, I am working very hard for you.')
  await documentOf(ada, 'Shopping', 'Punched cards.')
  const { space } = await call(ada, 'POST', 'docs/spaces', { name: 'Correspondence' })
  await open(grace, url, key)
  await open(ada, url, key)
  await select(ada, 'Jacquard loom')
  await ada.keyboard.press('Control+Alt+m')
  await ada.locator('.draft textarea').fill('Which loom is meant? Perhaps we should add a picture.')
  await ada.keyboard.press('Control+Enter')
  await ada.waitForSelector('.thread')
  await standing(ada, 'saved')
  await select(grace, 'flowers')
  const found = {}
  const errors = []
  for (const [look, options] of Object.entries(LOOKS)) {
    const page = await member(browser, url, 'ada', options)
    const isFrench = options.locale === 'fr-FR'
    await call(page, 'PATCH', 'account', { language: isFrench ? 'fr' : 'en' })
    const note = async (name) => {
      const wrong = await faults(page)
      if (wrong.length > 0) found[`${look} ${name}`] = wrong
      await page.screenshot({ path: join(folder, `docs-${look}-${name}.png`) })
    }
    await page.goto(`${url}/docs`)
    await page.waitForSelector('.rows')
    await note('home')
    await page.getByRole('searchbox').fill('engine')
    await page.waitForSelector('mark')
    await note('search')
    await page.goto(`${url}/docs?space=${space.id}`)
    await page.waitForSelector('.empty')
    await note('space')
    await page.goto(`${url}/docs?view=bin`)
    await page.waitForSelector('.empty, .rows')
    await note('bin')
    await open(page, url, key)
    await page.waitForSelector('.comment')
    await note('document')
    await page.locator('.ProseMirror .comment').first().click()
    await page.waitForSelector('.thread.active')
    await note('comments')
    await page.getByRole('button', { name: isFrench ? 'Fermer les commentaires' : 'Close the comments' }).click()
    const shareName = isFrench ? 'Partager' : 'Share'
    if (options.isMobile) {
      await page.locator('header.bar .actions [aria-haspopup=menu]').last().click()
      await page.getByRole('menuitem', { name: shareName }).click()
    } else await page.locator('header.bar .actions').getByRole('button', { name: shareName }).click()
    await page.waitForSelector('.people li')
    // The names at the cursors go by themselves; dimmed by the dialog, axe takes them for pale text.
    await page.waitForFunction(() => document.querySelector('.others-caret.is-named') === null)
    await note('share')
    await page.keyboard.press('Escape')
    await page.locator('header.bar .actions [aria-haspopup=menu]').last().click()
    await page.getByRole('menuitem', { name: isFrench ? 'Historique' : 'History' }).click()
    await page.waitForSelector('.history .entry.chosen')
    await page.waitForFunction(() => !document.querySelector('.history .skeleton'))
    await note('history')
    await page.keyboard.press('Escape')
    errors.push(...page.said.errors)
    await page.context().close()
  }
  await call(ada, 'PATCH', 'account', { language: 'en' })
  await browser.close()
  return { found, errors }
}
