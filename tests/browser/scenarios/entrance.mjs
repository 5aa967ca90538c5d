// The ways in where the node is not open: the first-start link, signing in, a link with a key.
import { goToEnd, launch, light, person, textThat } from '../browser.mjs'

const PASSWORD = 'nef vermeille, lanterne 4711 et gouttières'
const REFUSED = /status of (400|401|403|422|429)/

/** The first-start link makes the administrator; then they sign out and in again. */
export async function set_up_and_sign_in({ url, chromium, key, setup_link }) {
  const browser = await launch(chromium)
  const page = await person(browser, setup_link)
  page.said.expected = REFUSED
  await page.fill('#gate-name', 'Ada Lovelace')
  await page.fill('#gate-email', 'ada@example.org')
  await page.fill('#gate-password', 'short')
  await page.keyboard.press('Enter')
  await page.waitForFunction(() => document.querySelector('.card .error')?.textContent)
  const weak = await page.textContent('.card .error')
  await page.fill('#gate-password', PASSWORD)
  await page.keyboard.press('Enter')
  await light(page, 'saved')
  const account = await page.textContent('#account')
  await page.goto(`${url}/#${key}`)
  await light(page, 'saved')
  await goToEnd(page)
  await page.keyboard.type('written by the administrator')
  await light(page, 'saved')
  await page.reload()
  await light(page, 'saved')
  await textThat(page, 'the words after a reload', (whole) => whole === 'written by the administrator')

  await page.click('#sign-out')
  await page.waitForSelector('#gate-email')
  await page.fill('#gate-email', 'ada@example.org')
  await page.fill('#gate-password', 'not the password')
  await page.keyboard.press('Enter')
  await page.waitForFunction(() => document.querySelector('.card .error')?.textContent)
  const refused = await page.textContent('.card .error')
  await page.fill('#gate-password', PASSWORD)
  await page.keyboard.press('Enter')
  await light(page, 'saved')
  await textThat(page, 'the words after signing in', (whole) => whole === 'written by the administrator')
  const again = await page.textContent('#account')

  // Who comes with a key that opens nothing can sign in instead.
  const other = await person(browser, `${url}/#${key}&token=no-token`)
  await other.fill('#gate-email', 'ada@example.org')
  await other.fill('#gate-password', PASSWORD)
  await other.keyboard.press('Enter')
  await light(other, 'saved')
  await textThat(other, 'the words, without the key', (whole) => whole === 'written by the administrator')

  // The link works once.
  const late = await person(browser, setup_link)
  late.said.expected = REFUSED
  await late.fill('#gate-name', 'Mallory')
  await late.fill('#gate-email', 'mallory@example.org')
  await late.fill('#gate-password', PASSWORD)
  await late.keyboard.press('Enter')
  await late.waitForFunction(() => document.querySelector('.card .error')?.textContent)
  const used = await late.textContent('.card .error')
  const result = { weak, account, refused, again, used, errors: [page, other, late].flatMap(({ said }) => said.errors) }
  await browser.close()
  return result
}

/** In one tab somebody writes offline, in another they sign out: the changes wait for them. */
export async function signed_out_elsewhere({ url, chromium, key, setup_link }) {
  const browser = await launch(chromium)
  const page = await person(browser, setup_link, { locale: 'fr-FR' })
  page.said.expected = REFUSED
  await page.fill('#gate-name', 'Ada Lovelace')
  await page.fill('#gate-email', 'ada@example.org')
  await page.fill('#gate-password', PASSWORD)
  await page.keyboard.press('Enter')
  await light(page, 'saved')
  await page.goto(`${url}/#${key}`)
  await light(page, 'saved')
  page.said.mayBeDown = true
  await page.context().setOffline(true)
  await light(page, 'offline')
  await goToEnd(page)
  await page.keyboard.type('not saved yet')
  const cookies = (await page.context().cookies()).map(({ name, value }) => `${name}=${value}`).join('; ')
  await fetch(`${url}/api/v1/session`, { method: 'DELETE', headers: { cookie: cookies, origin: url } })
  await page.context().setOffline(false)
  await page.waitForSelector('#gate-email')
  const told = (await page.textContent('.card p')).replaceAll('\u00a0', ' ')

  await page.fill('#gate-email', 'ada@example.org')
  await page.fill('#gate-password', 'not the password')
  await page.keyboard.press('Enter')
  await page.waitForFunction(() => document.querySelector('.card .error')?.textContent)
  const refused = await page.textContent('.card .error')
  await page.fill('#gate-password', PASSWORD)
  await page.keyboard.press('Enter')
  await light(page, 'saved')
  await page.reload()
  await textThat(page, 'what waited', (whole) => whole === 'not saved yet')
  const result = { told, refused, errors: page.said.errors }
  await browser.close()
  return result
}

/** A link with a key: one that edits, one that views, one that is none. */
export async function links_with_keys({ url, chromium, key, tokens }) {
  const browser = await launch(chromium)
  const address = (token) => `${url}/#${key}&token=${encodeURIComponent(token)}`
  const editor = await person(browser, address(tokens.edit))
  await light(editor, 'saved')
  await goToEnd(editor)
  await editor.keyboard.type('for the viewers')
  await light(editor, 'saved')

  const viewer = await person(browser, address(tokens.view))
  await light(viewer, 'viewOnly')
  await textThat(viewer, 'the text', (whole) => whole === 'for the viewers')
  const editable = await viewer.getAttribute('.cm-content', 'contenteditable')
  viewer.said.mayBeDown = true
  await viewer.context().setOffline(true)
  await light(viewer, 'offline')
  const toldOffline = await viewer.textContent('#notice')

  const stranger = await person(browser, address(tokens.wrong))
  await stranger.waitForSelector('#gate-email')
  const told = await stranger.textContent('.card p')
  const result = { editable, toldOffline, told, errors: [editor, viewer, stranger].flatMap(({ said }) => said.errors) }
  await browser.close()
  return result
}
