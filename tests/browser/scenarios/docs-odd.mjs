// Odd circumstances: content from the future, a full or missing store, a wrong clock, names that try things.
import { faults, standings, text } from '../browser.mjs'
import { call, documentOf, errorsOf, launch, member, open, PASSWORD, person, PEOPLE, select, share, standing, textThat, write } from '../documents.mjs'

/** What the reader is told above the text, whether they can write, and what they see. */
async function shown(page) {
  await page.waitForSelector('.banner')
  const title = await page.locator('.banner strong').textContent()
  const said = await page.locator('.banner p').textContent()
  const reload = await page.locator('.banner').getByRole('button', { name: 'Reload' }).count()
  const field = page.locator('.surface .doc-text').first()
  await field.click()
  await page.keyboard.type('not taken')
  await page.keyboard.press('Control+a')
  await page.keyboard.press('Delete')
  const editable = await page.locator('.surface [contenteditable=true]').count()
  const tools = await page.locator('.toolbar').count()
  return { title, said, reload, editable, tools, text: await field.innerText() }
}

/** A document that holds what this version does not know, opened by somebody who may write. */
export async function foreign({ url, chromium, key }) {
  const browser = await launch(chromium)
  const ada = await member(browser, url, 'ada')
  await ada.goto(`${url}/docs/${key}`)
  const seen = await shown(ada)
  const result = { ...seen, wrong: await faults(ada), errors: errorsOf(ada) }
  await browser.close()
  return result
}

/** The web app on a node whose schema is another one. Asks for `write`: somebody with that schema writes. */
export async function other_schema({ url, chromium, key, ask }) {
  const browser = await launch(chromium)
  const ada = await member(browser, url, 'ada')
  await ada.goto(`${url}/docs/${key}`)
  const seen = await shown(ada)
  await ask('write')
  await ada.waitForFunction(() => document.querySelector('.surface .doc-text').textContent.includes('And more.'))
  const result = { ...seen, wrong: await faults(ada), errors: errorsOf(ada) }
  await browser.close()
  return result
}

/** What the light's popover says about this device. */
async function problem(page) {
  await page.click('[data-standing]')
  await page.waitForSelector('[role=dialog] .problem')
  const said = await page.locator('[role=dialog] .problem').textContent()
  await page.keyboard.press('Escape')
  return said.trim()
}

/** Fills every place where this browser keeps something: honest words, and writing goes on. */
export async function full({ url, chromium }) {
  const browser = await launch(chromium)
  const ada = await member(browser, url, 'ada')
  const key = await documentOf(ada, 'No room', '# One\n\nStart.\n\n# Two')
  await open(ada, url, key)
  const devtools = await ada.context().newCDPSession(ada)
  await devtools.send('Storage.overrideQuotaForOrigin', { origin: url, quotaSize: 1 })
  await ada.evaluate(() => {
    for (let size = 2 ** 22; size >= 1; size /= 2) {
      try {
        for (;;) localStorage.setItem(`fill ${size} ${localStorage.length}`, 'x'.repeat(size))
      } catch {
        // Full, as far as pieces of this size go.
      }
    }
  })
  await write(ada, ' Written on.')
  await ada.keyboard.press('Enter')
  await ada.keyboard.type('x'.repeat(300))
  await standing(ada, 'saved')
  const said = await problem(ada)
  // What it would keep of how it looks it forgets, without a fuss.
  await ada.click('header.bar [aria-label="More about this document"]')
  await ada.getByRole('menuitemradio', { name: 'Outline' }).click()
  ada.said.mayBeDown = true
  await ada.context().setOffline(true)
  await write(ada, ' Only here.')
  await standing(ada, 'unsaved')
  await ada.context().setOffline(false)
  await standing(ada, 'saved')
  ada.said.mayBeDown = false
  await ada.reload()
  const whole = await textThat(ada, 'all of it', (now) => now.includes('Only here.'))
  const result = { said, text: whole.replace(/x{300}/, '(300)'), errors: errorsOf(ada) }
  await browser.close()
  return result
}

const WITHOUT = {
  'a database that does not open': () => {
    IDBFactory.prototype.open = () => {
      throw new DOMException('The user denied permission to access the database.', 'SecurityError')
    }
  },
  'a database that fails': () => {
    IDBFactory.prototype.open = () => {
      const request = new EventTarget()
      request.error = new DOMException('A mutation operation was attempted on a database that did not allow mutations.', 'InvalidStateError')
      queueMicrotask(() => request.onerror?.(new Event('error')))
      return request
    }
  },
}

/** Browsers that keep nothing: private windows of some kinds, settings of others. */
export async function nothing_kept({ url, chromium }) {
  const browser = await launch(chromium)
  const seen = {}
  const errors = []
  for (const [name, script] of Object.entries(WITHOUT)) {
    const ada = await member(browser, url, 'ada')
    await ada.addInitScript(script)
    const key = await documentOf(ada, name, 'Start.')
    await open(ada, url, key)
    await write(ada, ' Written on.')
    await standing(ada, 'saved')
    const said = await problem(ada)
    ada.said.mayBeDown = true
    await ada.context().setOffline(true)
    await write(ada, ' Only here.')
    await standing(ada, 'unsaved')
    await ada.context().setOffline(false)
    await standing(ada, 'saved')
    seen[name] = { said, states: (await standings(ada)).includes('device'), text: await text(ada) }
    errors.push(...ada.said.errors)
    await ada.context().close()
  }
  await browser.close()
  return { seen, errors }
}

const YEARS = 2 * 365.25 * 24 * 3600 * 1000

/** Clocks two years ahead and behind: people stay in, write, and read days that are right. */
export async function wrong_clock({ url, chromium }) {
  const browser = await launch(chromium)
  const grace = await member(browser, url, 'grace')
  const key = await documentOf(grace, 'Time', 'Start.')
  await share(grace, key, 'ada', 'editor')
  const { link } = await call(grace, 'POST', `docs/documents/${key}/links`, { role: 'editor', expires: null })
  const seen = {}
  const pages = [grace]
  for (const [name, offset] of Object.entries({ ahead: YEARS, behind: -YEARS })) {
    const ada = await person(browser, 'about:blank')
    const guest = await person(browser, 'about:blank')
    pages.push(ada, guest)
    let tickets = 0
    ada.on('request', (request) => (tickets += request.url().endsWith('/ticket') ? 1 : 0))
    for (const page of [ada, guest]) await page.clock.install({ time: Date.now() + offset })
    await ada.goto(`${url}/sign-in`)
    await ada.fill('[name=email]', PEOPLE.ada)
    await ada.fill('[name=password]', PASSWORD)
    await ada.keyboard.press('Enter')
    await ada.waitForSelector('main header.bar')
    await open(ada, url, key)
    await write(ada, ` ${name}`)
    await standing(ada, 'saved')
    guest.said.expected = /status of 40[13]/
    await guest.goto(`${url}/docs/${key}#link=${link.secret}`)
    await guest.getByLabel('Your name').fill('Mary Shelley')
    await guest.getByRole('button', { name: 'Open the document' }).click()
    await guest.waitForSelector('.surface .ProseMirror')
    await write(guest, ` guest ${name}`)
    await standing(guest, 'saved')
    // Hours pass, as they do: tickets and tokens are asked for anew, and not again and again.
    await ada.clock.fastForward(3 * 3600 * 1000)
    await guest.clock.fastForward(3 * 3600 * 1000)
    await write(ada, '!')
    await standing(ada, 'saved')
    await write(guest, '?')
    await standing(guest, 'saved')
    await ada.goto(`${url}/docs?view=shared`)
    await ada.waitForSelector('.rows .open')
    const when = await ada.locator('.rows li').first().innerText()
    seen[name] = { signedIn: !ada.url().includes('sign-in'), fewTickets: tickets < 12 || tickets, today: when.includes(new Date().toLocaleDateString('en-GB', { day: 'numeric', month: 'short', year: 'numeric' })) || when }
  }
  await open(grace, url, key)
  const whole = await text(grace)
  const result = { seen, text: whole, errors: errorsOf(...pages) }
  await browser.close()
  return result
}

/** Two tabs write without a line and are closed; opened again, still without one, nothing is missing. */
export async function closed_offline({ url, chromium }) {
  const browser = await launch(chromium)
  const [ada, grace] = [await member(browser, url, 'ada'), await member(browser, url, 'grace')]
  const key = await documentOf(ada, 'On the train', 'Start.')
  await share(ada, key, 'grace', 'editor')
  await open(ada, url, key)
  const second = await ada.context().newPage()
  second.said = ada.said
  await open(second, url, key)
  ada.said.mayBeDown = true
  await ada.context().setOffline(true)
  await Promise.all([write(ada, ' One tab.'), write(second, ' Other tab.')])
  await Promise.all([standing(ada, 'device'), standing(second, 'device')])
  await second.close()
  await ada.goto('about:blank')
  await open(grace, url, key)
  await write(grace, ' Here.')
  await standing(grace, 'saved')
  await ada.goto(`${url}/docs/${key}`)
  const both = (whole) => whole.includes('One tab.') && whole.includes('Other tab.')
  await textThat(ada, 'what both tabs wrote', both)
  await standing(ada, 'device')
  await ada.context().setOffline(false)
  const all = (whole) => both(whole) && whole.includes('Here.')
  const merged = [await textThat(ada, 'the merge', all), await textThat(grace, 'the merge', all)]
  await standing(ada, 'saved')
  const result = { same: merged[0] === merged[1], length: merged[0].length, errors: errorsOf(grace) }
  await browser.close()
  return result
}

const NAMES = {
  html: `<img src=x onerror="hacked('name')"><b>bold</b>`,
  backwards: 'invoice \u202egnp.exe',
  emoji: '👩‍🔬'.repeat(60),
  zero: 'a\u200b\u200d\u2060b',
  long: 'W'.repeat(300),
  path: '../../etc/passwd\u0000',
}
const QUERIES = ['"', "' OR 1=1 --", 'NEAR(a b', 'title:*', '* * *', 'AND OR NOT', '^a', '{a b}:c', '-', '\u202e', '👩‍🔬', '%_%', 'W'.repeat(3000), '\ud800']
const ADDRESSES = ['/docs/%2e%2e', '/docs/..%2f..%2fetc%2fpasswd', '/docs/%00', '/docs/%3Cscript%3Ehacked(1)%3C%2fscript%3E', '/docs/aaaaaaaaaaaaaaaa', '/docs/%E0%A4%A', `/docs/${'a'.repeat(3000)}`, '/docs/a/b/c', '/docs?view=%3Cscript%3E', '/docs?space=%2e%2e']

/** Names, comments, searches and addresses that try things: they are only words. */
export async function words({ url, chromium }) {
  const browser = await launch(chromium)
  const ada = await member(browser, url, 'ada')
  const crimes = []
  ada.on('dialog', (dialog) => (crimes.push(dialog.message()), dialog.dismiss()))
  await ada.exposeFunction('hacked', (how) => crimes.push(how))
  await call(ada, 'PATCH', 'account', { name: NAMES.html })
  const altered = []
  const wide = []
  for (const [name, title] of Object.entries(NAMES)) {
    const key = await documentOf(ada, title, 'Some words.')
    await open(ada, url, key)
    if ((await ada.locator('textarea.title').inputValue()) !== title) altered.push(name)
    await ada.click('header.bar [aria-label="More about this document"]')
    const [download] = await Promise.all([ada.waitForEvent('download'), ada.getByRole('menuitem', { name: 'Download as text' }).click()])
    const file = download.suggestedFilename()
    if (/[/\\\u0000\u202e<>"]/.test(file)) wide.push(`file name ${file}`)
    await comment(ada, title)
    const over = await ada.evaluate(() => document.documentElement.scrollWidth - innerWidth)
    if (over > 0) wide.push(`${name}: ${over} px`)
    await ada.goto(`${url}/docs?view=mine`)
    await ada.waitForSelector('.rows .open')
    const beyond = await ada.evaluate(() => document.documentElement.scrollWidth - innerWidth)
    if (beyond > 0) wide.push(`${name} in the list: ${beyond} px`)
  }
  const statuses = {}
  ada.said.expected = /status of 4\d\d/
  for (const query of QUERIES) {
    const status = await ada.evaluate(async (query) => (await fetch(`/api/v1/docs/search?q=${encodeURIComponent(query.toWellFormed())}`)).status, query)
    statuses[status] = (statuses[status] ?? 0) + 1
    await ada.getByRole('searchbox').fill(query.toWellFormed())
    await ada.waitForSelector('.empty, .rows')
  }
  const addresses = {}
  for (const address of ADDRESSES) {
    const response = await ada.goto(`${url}${address}`)
    await ada.waitForSelector('.empty h2, .rows, main h1')
    await ada.waitForFunction(() => !document.querySelector('[aria-busy=true]'))
    addresses[address.slice(0, 39)] = `${response?.status()} ${await ada.locator('.empty h2, .rows, main h1').first().innerText()}`.slice(0, 60)
  }
  const result = { altered, wide, statuses, addresses, crimes, errors: errorsOf(ada) }
  await browser.close()
  return result
}

/** Comments the first word with `said`, and reads it back. */
async function comment(page, said) {
  await select(page, 'Some')
  await page.keyboard.press('Control+Alt+m')
  const field = page.locator('.draft textarea')
  await field.fill(said.replace('\u0000', ''))
  await page.keyboard.press('Control+Enter')
  await page.waitForSelector('.thread:not(.draft) .body')
  await standing(page, 'saved')
  const read = await page.locator('.thread .body').first().textContent()
  if (read !== said.replace('\u0000', '')) throw new Error(`a comment reads ${JSON.stringify(read)}`)
}
