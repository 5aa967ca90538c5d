// Several people in one document: they write, comment, lose rights, lines and the document itself.
import { faults, standings, text } from '../browser.mjs'
import { call, documentOf, errorsOf, launch, member, open, person, select, share, standing, textThat, write } from '../documents.mjs'

/** Two write at once; each sees the other's name, follows them, and reads the same in the end. */
export async function write_together({ url, chromium }) {
  const browser = await launch(chromium)
  const [ada, grace] = [await member(browser, url, 'ada'), await member(browser, url, 'grace')]
  const key = await documentOf(ada, 'Together', 'Start.')
  await share(ada, key, 'grace', 'editor')
  await Promise.all([open(ada, url, key), open(grace, url, key)])
  await Promise.all([write(ada, ' Ada was here.'), write(grace, ' Grace, too.')])
  const holds = (whole) => [...whole].sort().join('') === [...'Start. Ada was here. Grace, too.'].sort().join('')
  const [one, other] = [await textThat(ada, 'both texts', holds), await textThat(grace, 'both texts', holds)]
  await Promise.all([standing(ada, 'saved'), standing(grace, 'saved')])
  await ada.click('.faces')
  const names = await ada.locator('[role=dialog] li .name').allTextContents()
  await ada.getByRole('button', { name: 'Follow' }).click()
  const follows = await ada.locator('.following').textContent()
  await ada.keyboard.press('Shift')
  await ada.waitForSelector('.following', { state: 'detached' })
  // A title that one writes is the other's, too.
  await ada.fill('textarea.title', 'Written together')
  await ada.keyboard.press('Enter')
  await grace.waitForFunction(() => document.querySelector('textarea.title')?.value === 'Written together')
  const result = { same: one === other, names, follows, wrong: await faults(ada), shown: (await standings(grace)).at(-1), errors: errorsOf(ada, grace) }
  await browser.close()
  return result
}

/** One comments and mentions; the other gets notice, answers, resolves, reopens. A third may only comment. */
export async function comments({ url, chromium }) {
  const browser = await launch(chromium)
  const [ada, grace, linus] = [await member(browser, url, 'ada'), await member(browser, url, 'grace'), await member(browser, url, 'linus')]
  const key = await documentOf(ada, 'To discuss', 'The quick brown fox jumps over the lazy dog.\n\nAnother paragraph follows.')
  await share(ada, key, 'grace', 'editor')
  await share(ada, key, 'linus', 'commenter')
  await open(ada, url, key)
  await select(ada, 'brown fox')
  await ada.keyboard.press('Control+Alt+m')
  const field = ada.locator('.draft textarea')
  await field.waitFor()
  await field.pressSequentially('Is it @Gra')
  await ada.getByRole('option', { name: 'Grace Hopper' }).click()
  await field.pressSequentially('or a red one?')
  await ada.keyboard.press('Control+Enter')
  await ada.waitForSelector('.thread:not(.draft) .mention')
  await standing(ada, 'saved')
  const marked = await ada.locator('.ProseMirror .comment').allTextContents()

  // Grace is told, and her notice leads to the thread.
  const notices = await call(grace, 'GET', 'notices')
  const path = notices.notices.find(({ path }) => path.startsWith(`/docs/${key}#comment=`))?.path
  await grace.goto(`${url}${path}`)
  await grace.waitForSelector('.thread.active')
  const said = await grace.locator('.thread .body').first().textContent()
  await grace.locator('.thread.active .composer textarea').fill('Brown, I think.')
  await grace.locator('.thread.active .composer').getByRole('button', { name: 'Send' }).click()
  await ada.waitForFunction(() => document.querySelectorAll('.thread .body').length === 2)

  // Linus may comment, and has no bar of tools.
  await open(linus, url, key)
  const tools = await linus.locator('.toolbar').count()
  await linus.click('header.bar [aria-label^="Comments"]')
  await linus.waitForSelector('.thread .quote')
  await linus.locator('.thread .quote').click()
  await linus.locator('.thread.active .composer textarea').fill('Red.')
  await linus.keyboard.press('Control+Enter')
  await ada.waitForFunction(() => document.querySelectorAll('.thread .body').length === 3)

  // The words move, the comment with them.
  await ada.locator('.ProseMirror p').first().click()
  await ada.keyboard.press('Home')
  await ada.keyboard.type('Look: ')
  for (let step = 0; step < 12; step += 1) await ada.keyboard.press('ArrowRight')
  await ada.keyboard.press('Enter')
  await standing(ada, 'saved')
  await grace.waitForFunction(() => [...document.querySelectorAll('.ProseMirror .comment')].map((each) => each.textContent).join('') === 'brown fox')
  const moved = await grace.locator('.ProseMirror .comment').allTextContents()

  await ada.locator('.thread').first().getByRole('button', { name: 'Resolve' }).click()
  await grace.waitForFunction(() => document.querySelectorAll('.thread').length === 0)
  await grace.selectOption('.comments select', 'resolved')
  await grace.locator('.thread').first().getByRole('button', { name: 'Reopen' }).click()
  await ada.waitForFunction(() => document.querySelectorAll('.thread .body').length > 0)
  // Away from the buttons: their tooltips lie outside of every landmark.
  await ada.mouse.move(600, 700)
  await ada.locator('[data-tooltip-content]').waitFor({ state: 'detached' })
  const wrong = await faults(ada)
  const result = { marked: marked.join(''), said, tools, moved: moved.join(''), path: path?.startsWith(`/docs/${key}#comment=`), wrong, errors: errorsOf(ada, grace, linus) }
  await browser.close()
  return result
}

/** Somebody without an account comes by a link: reads, then (by another link) writes under a name. */
export async function guest({ url, chromium }) {
  const browser = await launch(chromium)
  const ada = await member(browser, url, 'ada')
  const key = await documentOf(ada, 'For guests', 'Welcome.')
  await open(ada, url, key)
  await ada.context().grantPermissions(['clipboard-read', 'clipboard-write'])
  await ada.getByRole('button', { name: 'Share' }).click()
  await ada.selectOption('.make select >> nth=0', 'editor')
  await ada.getByRole('button', { name: 'Create and copy' }).click()
  await ada.waitForSelector('.links .address')
  const address = await ada.locator('.links .address').inputValue()
  const wrongDialog = await faults(ada)
  await ada.keyboard.press('Escape')

  const stranger = await person(browser, address)
  stranger.said.expected = /status of 40[13]/
  await stranger.getByLabel('Your name').fill('Mary Shelley')
  await stranger.getByRole('button', { name: 'Open the document' }).click()
  await stranger.waitForSelector('.surface .ProseMirror')
  await standing(stranger, 'saved')
  await write(stranger, ' I am a guest.')
  await textThat(ada, "the guest's words", (whole) => whole.includes('I am a guest.'))
  await ada.click('.faces')
  const names = await ada.locator('[role=dialog] li .name').allTextContents()
  await ada.keyboard.press('Escape')
  // A reload asks for nothing again.
  await stranger.reload()
  await stranger.waitForSelector('.surface .ProseMirror')
  await standing(stranger, 'saved')
  const wrong = await faults(stranger)
  // The link ends while they look.
  stranger.said.expected = /status of 40[0-9]/
  const { links } = await call(ada, 'GET', `docs/documents/${key}/sharing`)
  await call(ada, 'DELETE', `docs/documents/${key}/links/${links[0].id}`)
  await stranger.waitForSelector('[data-standing=ended]')
  const ended = await stranger.locator('.banner strong').textContent()
  stranger.said.expected = /status of 40[0-9]/
  await stranger.goto(`${url}/docs/${key}#link=wrong`)
  await stranger.reload()
  await stranger.waitForSelector('.empty .title')
  const refused = await stranger.locator('.empty .title').textContent()
  const result = { names, ended, refused, wrong: [...wrong, ...wrongDialog], errors: errorsOf(ada, stranger) }
  await browser.close()
  return result
}

/** The right to write is taken away while somebody types without a line: what they wrote stays theirs. */
export async function rights_taken({ url, chromium }) {
  const browser = await launch(chromium)
  const [ada, grace] = [await member(browser, url, 'ada'), await member(browser, url, 'grace')]
  const key = await documentOf(ada, 'Contested', 'Before.')
  await share(ada, key, 'grace', 'editor')
  await open(grace, url, key)
  grace.said.mayBeDown = true
  await grace.context().setOffline(true)
  await write(grace, ' Unsent words.')
  await standing(grace, 'device')
  await share(ada, key, 'grace', 'viewer')
  await grace.context().setOffline(false)
  await standing(grace, 'refused')
  const banner = await grace.locator('.banner strong').textContent()
  const kept = await text(grace)
  const editable = await grace.locator('.ProseMirror').getAttribute('contenteditable')
  grace.said.mayBeDown = false
  const wrong = await faults(grace)
  await grace.getByRole('button', { name: 'Keep as a new document' }).click()
  await grace.waitForFunction((key) => !location.pathname.endsWith(key), key)
  await textThat(grace, 'the rescued words', (whole) => whole.includes('Unsent words.'))
  await open(ada, url, key)
  const server = await text(ada)
  // And without a line in between: the bar of tools goes at once, and comes back.
  const second = await documentOf(ada, 'Contested again', 'Before.')
  await share(ada, second, 'grace', 'editor')
  await open(grace, url, second)
  await grace.waitForSelector('.toolbar')
  await share(ada, second, 'grace', 'viewer')
  await grace.waitForSelector('.toolbar', { state: 'detached' })
  await share(ada, second, 'grace', 'editor')
  await grace.waitForSelector('.toolbar')
  const result = { banner, kept, editable, server, wrong, errors: errorsOf(ada, grace) }
  await browser.close()
  return result
}

/** A document is put into the bin, and deleted for ever, while somebody has it open. */
export async function deleted_while_open({ url, chromium }) {
  const browser = await launch(chromium)
  const [ada, grace] = [await member(browser, url, 'ada'), await member(browser, url, 'grace')]
  const key = await documentOf(ada, 'Short-lived', 'Read me while you can.')
  await share(ada, key, 'grace', 'editor')
  await Promise.all([open(ada, url, key), open(grace, url, key)])
  grace.said.expected = /status of 404/
  ada.said.expected = /status of 404/
  await call(ada, 'POST', `docs/documents/${key}/bin`)
  await grace.waitForSelector('[data-standing=ended]')
  const removed = await grace.locator('.banner strong').textContent()
  await ada.waitForSelector('.banner')
  const inBin = await ada.locator('.banner strong').textContent()
  const [download] = await Promise.all([grace.waitForEvent('download'), grace.getByRole('button', { name: 'Save as a file' }).click()])
  const file = await (await download.createReadStream()).toArray()
  await call(ada, 'DELETE', `docs/documents/${key}`)
  await ada.waitForSelector('[data-standing=ended]')
  const deleted = await ada.locator('.banner strong').textContent()
  await grace.goto(`${url}/docs/${key}`)
  await grace.waitForSelector('.empty .title')
  const missing = await grace.locator('.empty .title').textContent()
  const result = { removed, inBin, deleted, missing, name: download.suggestedFilename(), holds: Buffer.concat(file).toString().includes('Read me while you can.'), errors: errorsOf(ada, grace) }
  await browser.close()
  return result
}

/** A moment gets a name, is looked at later, and brought back; which can be undone. */
export async function history({ url, chromium }) {
  const browser = await launch(chromium)
  const ada = await member(browser, url, 'ada')
  const key = await documentOf(ada, 'With a past', 'In the beginning.')
  await open(ada, url, key)
  const look = async () => {
    await ada.locator('header.bar [aria-label="More about this document"]').click()
    await ada.getByRole('menuitem', { name: 'History' }).click()
    await ada.waitForSelector('.history .entry.chosen')
    await ada.waitForFunction(() => !document.querySelector('.history .skeleton'))
  }
  await look()
  await ada.getByRole('button', { name: 'Name this version' }).click()
  await ada.getByLabel('Name of the version').fill('The beginning')
  await ada.keyboard.press('Enter')
  await ada.waitForSelector('.history .named')
  await ada.keyboard.press('Escape')
  await ada.waitForSelector('.history', { state: 'detached' })
  await write(ada, ' Then something went wrong.')
  await standing(ada, 'saved')
  await look()
  const latest = await ada.locator('.history .paper').textContent()
  await ada.locator('.history .named .entry').click()
  await ada.waitForFunction(() => document.querySelector('.history .paper')?.textContent.trim() === 'In the beginning.')
  const wrong = await faults(ada)
  await ada.locator('.history .view').getByRole('button', { name: 'Restore' }).click()
  await ada.getByRole('dialog', { name: 'Restore the version' }).getByRole('button', { name: 'Restore' }).click()
  await ada.waitForSelector('.history', { state: 'detached' })
  const restored = await textThat(ada, 'the text as it was', (whole) => whole === 'In the beginning.')
  await ada.locator('.toast, [role=status] ~ *').getByRole('button', { name: 'Undo' }).first().click()
  const undone = await textThat(ada, 'the text before that', (whole) => whole.includes('went wrong'))
  const result = { latest: latest.trim(), restored, undone, wrong, errors: errorsOf(ada) }
  await browser.close()
  return result
}

/** The bell rings at once, in every tab, and is quiet again once one of them was read. */
export async function bell({ url, chromium }) {
  const browser = await launch(chromium)
  const [ada, grace] = [await member(browser, url, 'ada'), await member(browser, url, 'grace')]
  const other = await grace.context().newPage()
  await other.goto(`${url}/docs`)
  const unread = (page) => page.getByRole('button', { name: '1 unread notification' })
  const quiet = (page) => page.getByRole('button', { name: 'Notifications', exact: true })
  await call(grace, 'POST', 'notices/read', {})
  await Promise.all([quiet(grace).waitFor(), quiet(other).waitFor()])
  const key = await documentOf(ada, 'News for Grace')
  await share(ada, key, 'grace', 'viewer')
  await Promise.all([unread(grace).waitFor(), unread(other).waitFor()])
  await unread(grace).click()
  const notice = grace.locator('.notice', { hasText: 'News for Grace' })
  const subject = await notice.locator('.subject').textContent()
  const wrong = await faults(grace)
  await notice.click()
  await grace.waitForURL(`**/docs/${key}`)
  await Promise.all([quiet(grace).waitFor(), quiet(other).waitFor()])
  const result = { subject, wrong, errors: errorsOf(ada, grace) }
  await browser.close()
  return result
}

/** What is told while the list is on its way, or while nobody listens, is made up for. */
export async function bell_late({ url, chromium }) {
  const browser = await launch(chromium)
  const [ada, grace] = [await member(browser, url, 'ada'), await member(browser, url, 'grace')]
  await call(grace, 'POST', 'notices/read', {})
  const unread = (n) => grace.getByRole('button', { name: n === 1 ? '1 unread notification' : `${n} unread notifications` })
  const news = async (title) => share(ada, await documentOf(ada, title), 'grace', 'viewer')

  // An answer from before the news comes after them.
  let release = () => undefined
  const isReleased = new Promise((resolve) => (release = resolve))
  await grace.route(
    '**/api/v1/notices?*',
    async (route) => {
      const response = await route.fetch()
      await isReleased
      await route.fulfill({ response })
    },
    { times: 1 },
  )
  const socket = grace.waitForEvent('websocket')
  const welcome = socket.then((each) => each.waitForEvent('framereceived'))
  await grace.reload()
  await welcome
  const told = (await socket).waitForEvent('framereceived')
  await news('Told on the way')
  await told
  release()
  await unread(1).waitFor()

  // News while no socket opens, after the list was fetched.
  let isCut = true
  await grace.routeWebSocket('**/ws', (each) => {
    if (isCut) void each.close({ code: 1013, reason: 'cut' })
    else each.connectToServer()
  })
  await grace.reload()
  await unread(1).waitFor()
  await grace.getByText('No connection to the server.').waitFor()
  await news('Told to nobody')
  isCut = false
  await grace.evaluate(() => dispatchEvent(new Event('online')))
  await unread(2).waitFor()
  await call(grace, 'POST', 'notices/read', {})
  await grace.getByRole('button', { name: 'Notifications', exact: true }).waitFor()
  const result = { errors: errorsOf(ada, grace) }
  await browser.close()
  return result
}
