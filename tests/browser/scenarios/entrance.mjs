// Getting in and out: the first start, an invitation, one's account, a forgotten password.
import { faults, inside, launch, PASSWORD, person, setUp, signIn } from '../browser.mjs'
import { linkIn } from '../letters.mjs'

const REFUSED = /status of 4(01|09|10|22)/

/** The first account, refusals on the way, signing out and in again. */
export async function set_up_and_sign_in({ url, chromium, setup_link }) {
  const browser = await launch(chromium)
  const page = await person(browser, setup_link)
  page.said.expected = REFUSED
  await page.click('button[type=submit]')
  const empty = await page.locator('.field [role=alert]').allTextContents()
  await page.fill('[name=name]', 'Ada Lovelace')
  await page.fill('[name=email]', 'ada@example.org')
  await page.fill('[name=password]', 'short')
  const measured = await page.locator('.said').textContent()
  await page.keyboard.press('Enter')
  const weak = await page.locator('[role=alert]').textContent()
  const focused = await page.evaluate(() => document.activeElement.name)
  await setUp(page)
  const secretGone = !page.url().includes('#')

  await page.locator('footer button').click()
  await page.getByRole('menuitem', { name: 'Sign out' }).click()
  await page.waitForSelector('[name=password]')
  const kept = await page.evaluate(() => localStorage.getItem('parvis.session'))
  await signIn(page, { password: 'not the password' })
  const refused = await page.locator('form [role=alert]').textContent()
  await signIn(page)
  await inside(page)
  const again = await page.getByRole('button', { name: /Your account/ }).textContent()

  const late = await person(browser, setup_link)
  late.said.expected = /status of 403/
  await late.fill('[name=name]', 'Eve')
  await late.fill('[name=email]', 'eve@example.org')
  await late.fill('[name=password]', PASSWORD)
  await late.keyboard.press('Enter')
  const used = await late.locator('form [role=alert]').textContent()
  const result = { empty: empty.length, measured, weak: weak.trim(), focused, secretGone, kept, refused: refused.trim(), again: again.trim(), used: used.trim(), errors: [page, late].flatMap(({ said }) => said.errors) }
  await browser.close()
  return result
}

/** Somebody is invited, comes by the letter's link, and is known from then on; another is withdrawn. */
export async function invite({ url, chromium, setup_link, mail }) {
  const browser = await launch(chromium)
  const ada = await person(browser, setup_link)
  await setUp(ada)
  await ada.goto(`${url}/people`)
  await ada.getByText('Parvis is better together').waitFor()
  const send = async (email) => {
    await ada.getByRole('button', { name: 'Invite somebody' }).first().click()
    await ada.getByRole('textbox', { name: 'E-mail' }).fill(email)
    await ada.keyboard.press('Enter')
    const shown = await ada.getByRole('textbox', { name: 'Link' }).inputValue()
    await ada.getByRole('button', { name: 'Done' }).click()
    return shown
  }
  const shown = await send('grace@example.org')
  const link = await linkIn(mail, 'grace@example.org', '/invite')
  const other = await send('eve@example.org')
  const pending = await ada.locator('[aria-labelledby=pending] strong').allTextContents()
  await ada.getByRole('button', { name: 'Withdraw: eve@example.org' }).click()
  await ada.getByText('The invitation of eve@example.org was withdrawn.').waitFor()

  const eve = await person(browser, other)
  eve.said.expected = REFUSED
  await eve.getByRole('heading', { name: 'This invitation is no longer valid' }).waitFor()

  const grace = await person(browser, link, { locale: 'fr-FR' })
  const text = await grace.locator('.card .text').textContent()
  await grace.fill('[name=name]', 'Grace Hopper')
  await grace.fill('[name=password]', 'nanoseconds on a wire')
  await grace.keyboard.press('Enter')
  await inside(grace)
  const mayInvite = await grace.getByRole('link', { name: 'Personnes' }).count()
  await grace.goto(`${url}/people`)
  await grace.getByRole('heading', { name: /réservée/ }).waitFor()

  await ada.reload()
  await ada.waitForSelector('[aria-labelledby=members]')
  const people = await ada.locator('[aria-labelledby=members] strong').allTextContents()
  const result = { same: shown === link, pending, text, mayInvite, people: people.map((name) => name.trim()), errors: [ada, eve, grace].flatMap(({ said }) => said.errors) }
  await browser.close()
  return result
}

/** Name, colour, language, appearance, password: changed, and still so after a reload and elsewhere. */
export async function account({ url, chromium, setup_link }) {
  const browser = await launch(chromium)
  const page = await person(browser, setup_link)
  page.said.expected = REFUSED
  await setUp(page)
  await page.goto(`${url}/account`)
  await page.fill('[name=name]', 'Augusta Ada King')
  await page.getByRole('radio', { name: 'Colour 5', exact: true }).check({ force: true })
  const color = await page.locator('input[name=color]:checked').inputValue()
  await page.getByRole('button', { name: 'Save', exact: true }).click()
  await page.getByText('Saved.', { exact: true }).waitFor()
  await page.getByRole('combobox', { name: 'Appearance' }).selectOption('dark')
  const dark = await page.evaluate(() => getComputedStyle(document.body).backgroundColor)
  await page.getByRole('combobox', { name: 'Language' }).selectOption('fr')
  await page.getByRole('heading', { name: 'Votre compte' }).waitFor()
  await page.waitForFunction(() => document.documentElement.lang === 'fr')

  const elsewhere = await person(browser, `${url}/account`)
  elsewhere.said.expected = REFUSED
  await signIn(elsewhere)
  // The account's language, although this browser's is English.
  await elsewhere.getByRole('heading', { name: 'Votre compte' }).waitFor()
  const there = { name: await elsewhere.inputValue('[name=name]'), color: await elsewhere.locator('input[name=color]:checked').inputValue() }

  await page.fill('[name=current]', 'not the password')
  await page.fill('[name=fresh]', 'another set of words')
  await page.keyboard.press('Enter')
  const wrong = await page.locator('[role=alert]').textContent()
  await elsewhere.fill('[name=name]', 'half written')
  await page.fill('[name=current]', PASSWORD)
  await page.keyboard.press('Enter')
  await page.getByText('Votre mot de passe est changé.').waitFor()

  // Elsewhere the session has ended: what was being done waits behind the question.
  const dialog = elsewhere.getByRole('dialog', { name: 'Connexion' })
  await dialog.waitFor()
  await dialog.locator('[name=password]').fill('another set of words')
  await elsewhere.keyboard.press('Enter')
  await dialog.waitFor({ state: 'detached' })
  const half = await elsewhere.inputValue('[name=name]')

  await page.reload()
  const after = { lang: await page.getAttribute('html', 'lang'), theme: await page.getAttribute('html', 'data-theme') }
  const result = { color, there, dark, wrong: wrong.trim(), half, after, errors: [page, elsewhere].flatMap(({ said }) => said.errors) }
  await browser.close()
  return result
}

/** A forgotten password: the same answer for everybody, a link that works once. */
export async function forgotten({ url, chromium, setup_link, mail }) {
  const browser = await launch(chromium)
  const ada = await person(browser, setup_link)
  await setUp(ada)
  // Her session ends when the password is replaced.
  ada.said.expected = REFUSED
  const page = await person(browser, `${url}/sign-in`)
  page.said.expected = REFUSED
  await page.getByRole('link', { name: 'Forgotten your password?' }).click()
  const told = []
  for (const email of ['nobody@example.org', 'ada@example.org']) {
    await page.fill('[name=email]', email)
    await page.keyboard.press('Enter')
    await page.getByRole('heading', { name: 'Check your mail' }).waitFor()
    told.push((await page.locator('.card .text').textContent()).replace(email, '…'))
    if (email.startsWith('nobody')) await page.goto(`${url}/forgot`)
  }
  const link = await linkIn(mail, 'ada@example.org', '/reset')
  await page.goto(link)
  await page.reload()
  await page.fill('[name=password]', 'entirely new words')
  await page.keyboard.press('Enter')
  await inside(page)
  const late = await person(browser, link)
  late.said.expected = REFUSED
  await late.fill('[name=password]', 'yet other words here')
  await late.keyboard.press('Enter')
  await late.getByRole('heading', { name: 'This link is no longer valid' }).waitFor()
  const gone = await faults(late)
  const result = { same: told[0] === told[1], gone, errors: [page, late, ada].flatMap(({ said }) => said.errors) }
  await browser.close()
  return result
}
