// What stands over a document: sharing, moving, history, all fetched when they are wanted.
import { faults } from '../browser.mjs'
import { call, documentOf, errorsOf, launch, member, open, share, standing, write } from '../documents.mjs'

const heading = (page) => page.getByRole('dialog').getByRole('heading').first()
const more = (page) => page.locator('header.bar .actions [aria-haspopup=menu]').last()
/** What has the focus, by the name that it has for screen readers. */
const focused = (page) => page.evaluate(() => document.activeElement.ariaLabel ?? document.activeElement.textContent.trim())

async function openShare(page) {
  await page.locator('header.bar .actions').getByRole('button', { name: 'Share' }).click()
  await page.waitForSelector('.people li')
}

/** Everything that is fetched late is there without a line, too. Asks for `kill`. */
export async function late_without_a_line({ url, chromium, ask }) {
  const browser = await launch(chromium)
  const ada = await member(browser, url, 'ada')
  const key = await documentOf(ada, 'Late parts')
  await open(ada, url, key)
  // What was only read is kept when there is time for it; what was written, at once.
  await write(ada, ' And more.')
  await standing(ada, 'saved')
  await ada.evaluate(() => navigator.serviceWorker.ready)
  // The list tells, when it is opened, whether the copy is on the device.
  for (const deadline = Date.now() + 20_000; ; ) {
    await ada.goto(`${url}/docs`)
    const row = ada.locator('.rows li', { hasText: 'Late parts' })
    await row.waitFor()
    const isKept = await row.getByText('Available offline on this device').waitFor({ state: 'attached', timeout: 1000 }).then(() => true, () => false)
    if (isKept) break
    if (Date.now() > deadline) throw new Error('the document is never kept on the device')
  }
  ada.said.mayBeDown = true
  await ask('kill')
  await ada.goto(`${url}/docs/${key}`)
  await ada.waitForSelector('.surface .ProseMirror')
  const seen = {}
  await ada.locator('header.bar .actions').getByRole('button', { name: 'Comments' }).click()
  await ada.getByRole('button', { name: 'Close the comments' }).click()
  for (const name of ['History', 'Keyboard shortcuts', 'Move']) {
    await more(ada).click()
    await ada.getByRole('menuitem', { name }).first().click()
    seen[name] = (await heading(ada).textContent()).trim()
    await ada.keyboard.press('Escape')
    await ada.getByRole('dialog').waitFor({ state: 'detached' })
  }
  await ada.locator('header.bar .actions').getByRole('button', { name: 'Share' }).click()
  seen.share = await ada.getByRole('dialog').getByRole('alert').textContent()
  const toasts = await ada.locator('.toast').allTextContents()
  const result = { seen, toasts, errors: errorsOf(ada) }
  await browser.close()
  return result
}

/** The history keeps the focus, and gives it back. */
export async function history_keeps_the_focus({ url, chromium }) {
  const browser = await launch(chromium)
  const ada = await member(browser, url, 'ada')
  const key = await documentOf(ada, 'Long ago')
  await open(ada, url, key)
  await more(ada).focus()
  await ada.keyboard.press('Enter')
  await ada.getByRole('menuitem', { name: 'History' }).press('Enter')
  await ada.waitForSelector('.history .entry.chosen')
  const isInside = () => ada.evaluate(() => document.activeElement.closest('[role=dialog]') !== null)
  const stops = []
  for (let stop = 0; stop < 12; stop++) {
    await ada.keyboard.press('Tab')
    stops.push(await isInside())
  }
  await ada.keyboard.press('Shift+Tab')
  stops.push(await isInside())
  // Escape is for what lies on top, one after the other.
  await ada.getByRole('button', { name: 'Name this version' }).click()
  await ada.getByLabel('Name of the version').waitFor()
  await ada.keyboard.press('Escape')
  await ada.getByLabel('Name of the version').waitFor({ state: 'detached' })
  const still = await ada.locator('.history').count()
  await ada.keyboard.press('Escape')
  await ada.locator('.history').waitFor({ state: 'detached' })
  const result = { inside: stops.every(Boolean), still, after: await focused(ada), errors: errorsOf(ada) }
  await browser.close()
  return result
}

/** Somebody is let in by keys alone, and the document handed over to them. */
export async function share_and_hand_over({ url, chromium }) {
  const browser = await launch(chromium)
  const ada = await member(browser, url, 'ada')
  const key = await documentOf(ada, 'The \u05e9\u05d5\u05dc\u05d7\u05df')
  await open(ada, url, key)
  const title = await ada.title()
  await openShare(ada)
  const box = ada.getByRole('combobox', { name: 'Name or e-mail address' })
  const first = await box.evaluate((node) => node === document.activeElement)
  await ada.keyboard.type('grac')
  await ada.getByRole('option', { name: 'Grace Hopper' }).waitFor()
  const active = await box.evaluate((node) => document.getElementById(node.getAttribute('aria-activedescendant'))?.textContent.includes('Grace'))
  // Escape closes the list first, an arrow brings it back.
  await ada.keyboard.press('Escape')
  const closed = [await ada.locator('.combobox [role=listbox]').count(), await ada.getByRole('dialog').count()]
  await ada.keyboard.press('ArrowDown')
  await ada.getByRole('option', { name: 'Grace Hopper' }).waitFor()
  const wrong = await faults(ada)
  await ada.keyboard.press('Enter')
  const row = ada.locator('.people li', { hasText: 'Grace Hopper' })
  await row.waitFor()
  await row.getByRole('button', { name: 'More about Grace Hopper' }).click()
  await ada.getByRole('menuitem', { name: 'Make owner' }).click()
  const question = await ada.getByRole('dialog').last().getByRole('heading').textContent()
  wrong.push(...(await faults(ada)))
  await ada.getByRole('button', { name: 'Make owner' }).click()
  await row.locator('.role', { hasText: 'Owner' }).waitFor()
  const roles = await ada.locator('.people li').evaluateAll((rows) => rows.map((each) => each.querySelector('.role')?.textContent ?? each.querySelector('select')?.selectedOptions[0]?.textContent))
  await ada.keyboard.press('Escape')
  await ada.getByRole('dialog').waitFor({ state: 'detached' })
  await more(ada).click()
  const left = await ada.getByRole('menuitem', { name: /Move/ }).count()
  const result = { title, first, active, closed, question, roles: roles.toSorted(), left, wrong, errors: errorsOf(ada) }
  await browser.close()
  return result
}

/** Without a mail server an administrator takes the invitation along, and whoever has it comes in. */
export async function invitation_by_hand({ url, chromium }) {
  const browser = await launch(chromium)
  const ada = await member(browser, url, 'ada')
  const key = await documentOf(ada, 'For somebody new', 'Welcome, whoever you are.')
  await open(ada, url, key)
  await openShare(ada)
  await ada.getByRole('combobox', { name: 'Name or e-mail address' }).fill('mary@example.org')
  await ada.getByRole('dialog').getByRole('button', { name: 'Invite' }).click()
  const told = await ada.locator('.toast', { hasText: 'mary@example.org' }).locator('.body p').first().textContent()
  await ada.getByRole('button', { name: 'Copy invitation link' }).click()
  const link = await ada.getByLabel('Invitation link for mary@example.org').inputValue()
  const wrong = await faults(ada)
  const mary = await (await browser.newContext({ locale: 'en-GB' })).newPage()
  await mary.goto(link)
  await mary.fill('[name=name]', 'Mary Shelley')
  await mary.fill('[name=password]', 'a monster of many words')
  await mary.keyboard.press('Enter')
  await mary.waitForURL(`**/docs/${key}`)
  const words = await mary.locator('.surface .ProseMirror p').first().textContent()
  const result = { told, words, wrong, errors: errorsOf(ada) }
  await browser.close()
  return result
}

/** A link stops when its maker may share no more, and goes on when somebody takes it over. */
export async function link_taken_over({ url, chromium }) {
  const browser = await launch(chromium)
  const [ada, grace] = [await member(browser, url, 'ada'), await member(browser, url, 'grace')]
  const key = await documentOf(ada, 'Links of others')
  await share(ada, key, 'grace', 'editor')
  await call(grace, 'POST', `docs/documents/${key}/links`, { role: 'viewer', expires: null })
  await share(ada, key, 'grace', 'viewer')
  await open(ada, url, key)
  await openShare(ada)
  const row = ada.locator('.links li')
  const stopped = await row.locator('small').textContent()
  const wrong = await faults(ada)
  await row.getByRole('button', { name: 'Take over' }).click()
  await row.getByRole('button', { name: 'Take over' }).waitFor({ state: 'detached' })
  const after = await row.locator('small').textContent()
  const result = { stopped: stopped.trim(), mine: after.includes('by Ada Lovelace'), wrong, errors: errorsOf(ada, grace) }
  await browser.close()
  return result
}

/** Of many spaces one is found by its name, and chosen by keys. */
export async function place_by_keys({ url, chromium }) {
  const browser = await launch(chromium)
  const ada = await member(browser, url, 'ada')
  const { space } = await call(ada, 'POST', 'docs/spaces', { name: 'Chemistry' })
  await call(ada, 'POST', 'docs/spaces', { name: 'Proteins', parent: space.id })
  for (const name of ['Physics', 'Poetry', 'Plants']) await call(ada, 'POST', 'docs/spaces', { name })
  const key = await documentOf(ada, 'To be put away')
  await open(ada, url, key)
  await more(ada).click()
  await ada.getByRole('menuitem', { name: 'Move', exact: true }).click()
  await ada.getByRole('option', { name: 'Chemistry' }).waitFor()
  const all = await ada.getByRole('option').count()
  await ada.keyboard.type('prot')
  await ada.waitForFunction(() => document.querySelectorAll('[role=option]').length === 1)
  const found = (await ada.getByRole('option').textContent()).trim()
  const wrong = await faults(ada)
  await ada.keyboard.press('Enter')
  await ada.locator('.toast', { hasText: 'Proteins' }).waitFor()
  const { document } = await call(ada, 'GET', `docs/documents/${key}`)
  const result = { all: all >= 6, found, moved: document.space !== null, wrong, errors: errorsOf(ada) }
  await browser.close()
  return result
}

/** What is open at a button that the window holds stays with it while the page scrolls below. */
export async function held({ url, chromium }) {
  const browser = await launch(chromium)
  const ada = await member(browser, url, 'ada')
  const key = await documentOf(ada, 'Long enough', Array.from({ length: 80 }, (_, at) => `Line ${at}.`).join('\n\n'))
  await open(ada, url, key)
  const moved = {}
  for (const [name, button, shown] of [
    ['who', '.sidebar footer button', '[role=menu]'],
    ['more', 'header.bar [aria-label="More about this document"]', '[role=menu]'],
    ['bell', 'header.bar [aria-label^="Notifications"], header.bar [aria-label*="unread"]', '.popover'],
  ]) {
    await ada.locator(button).click()
    await ada.locator(shown).waitFor()
    // Within one task: nobody has had the time to place anything anew.
    moved[name] = await ada.locator(shown).evaluate((node) => {
      const top = () => node.parentElement.getBoundingClientRect().top
      const before = top()
      scrollTo(0, scrollY + 300)
      return [scrollY > 0, top() - before]
    })
    await ada.keyboard.press('Escape')
    await ada.locator(shown).waitFor({ state: 'detached' })
    await ada.evaluate(() => scrollTo(0, 0))
  }
  const result = { moved, errors: errorsOf(ada) }
  await browser.close()
  return result
}
