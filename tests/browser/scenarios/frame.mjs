// The frame: looks, palette, languages, keys, a lost line, a new version.
import { join } from 'node:path'
import { between } from '../between.mjs'
import { faults, inside, launch, person, PHONE, setUp } from '../browser.mjs'

const LOOKS = {
  light: { colorScheme: 'light' },
  dark: { colorScheme: 'dark' },
  french: { colorScheme: 'light', locale: 'fr-FR' },
  phone: { colorScheme: 'light', ...PHONE },
  'phone-dark-french': { colorScheme: 'dark', locale: 'fr-CA', ...PHONE },
}
const STRANGERS = ['/sign-in', '/forgot', '/reset#secret', '/setup#secret', '/setup', '/invite#nothing', '/account']
const MEMBERS = ['/account', '/people', '/nowhere/at/all']

/** Every page of the shell in each look: what axe finds, what the console says, and a picture. */
export async function every_look({ url, chromium, setup_link, folder }) {
  const browser = await launch(chromium)
  const ada = await person(browser, setup_link)
  await setUp(ada)
  const cookies = await ada.context().cookies()
  const found = {}
  const errors = [...ada.said.errors]
  for (const [look, options] of Object.entries(LOOKS)) {
    const note = async (page, name) => {
      const wrong = await faults(page)
      if (wrong.length > 0) found[`${look} ${name}`] = wrong
      await page.screenshot({ path: join(folder, `${look}${name.replace(/[/#]/g, '-')}.png`) })
    }
    const stranger = await person(browser, `${url}/sign-in`, options)
    stranger.said.expected = /status of 4/
    for (const path of STRANGERS) {
      await stranger.goto(`${url}${path}`)
      await stranger.waitForSelector('.card h1')
      await stranger.waitForFunction(() => !document.querySelector('.card .skeleton'))
      await note(stranger, `stranger${path}`)
    }
    const member = await person(browser, `${url}/sign-in`, options)
    await member.context().addCookies(cookies)
    await member.evaluate((language) => localStorage.setItem('parvis.language', language), options.locale?.startsWith('fr') ? 'fr' : 'en')
    for (const path of MEMBERS) {
      await member.goto(`${url}${path}`)
      await inside(member)
      await member.waitForSelector('h1')
      await note(member, path)
    }
    await member.goto(`${url}/people`)
    await member.waitForSelector('[aria-labelledby=members]')
    await member.keyboard.press('Control+k')
    await member.getByRole('listbox').waitFor()
    await note(member, 'palette')
    await member.keyboard.press('Escape')
    await member.keyboard.press('Control+/')
    await member.getByRole('switch').waitFor()
    await note(member, 'keys')
    await member.keyboard.press('Escape')
    await member.locator('header.bar .button.main').click()
    await member.getByRole('dialog').waitFor()
    await note(member, 'invite')
    await member.keyboard.press('Escape')
    await member.locator('header.bar .actions .icon-button').last().click()
    await member.getByRole('dialog').waitFor()
    await note(member, 'notices')
    await member.keyboard.press('Escape')
    if (options.isMobile) {
      await member.locator('header.bar button').first().click()
      await member.waitForSelector('.sidebar')
      await note(member, 'drawer')
    }
    await member.locator('.sidebar footer button').click()
    await member.getByRole('menu').waitFor()
    await note(member, 'menu')
    errors.push(...stranger.said.errors, ...member.said.errors)
    await stranger.context().close()
    await member.context().close()
  }
  await browser.close()
  return { faults: found, errors }
}

/** By keys alone: the way into the page, the palette, its help. */
export async function keys_alone({ url, chromium, setup_link }) {
  const browser = await launch(chromium)
  const page = await person(browser, setup_link)
  await setUp(page)
  await page.goto(`${url}/account`)
  await inside(page)
  const active = () => page.evaluate(() => {
    const { activeElement: node } = document
    const ring = getComputedStyle(node).outlineStyle !== 'none'
    return `${node.ariaLabel ?? node.textContent.trim()}${ring ? '' : ' (focus not visible)'}`
  })
  await page.keyboard.press('Tab')
  const stops = [await active()]
  await page.keyboard.press('Enter')
  await page.keyboard.press('Tab')
  stops.push(await active())

  await page.keyboard.press('Control+k')
  await page.getByRole('combobox', { name: /^Search/ }).waitFor()
  await page.keyboard.type('peo')
  const options = await page.getByRole('listbox').getByRole('option').allTextContents()
  await page.keyboard.press('Enter')
  await page.waitForURL('**/people')
  await page.getByRole('listbox').waitFor({ state: 'detached' })
  const focus = await page.waitForFunction(() => document.activeElement.id === 'main').then(() => 'main')
  const said = await page.locator('[role=status]', { hasText: 'People' }).count()

  await page.keyboard.press('?')
  await page.getByRole('heading', { name: 'Keyboard shortcuts' }).waitFor()
  await page.keyboard.press('Escape')
  await page.getByRole('heading', { name: 'Keyboard shortcuts' }).waitFor({ state: 'detached' })
  await page.keyboard.press('Control+k')
  await page.keyboard.type('nothing is called so')
  const none = await page.locator('.told', { hasText: 'Nothing found' }).textContent()
  await page.keyboard.press('Escape')
  await page.getByRole('combobox', { name: /^Search/ }).waitFor({ state: 'detached' })
  await page.goBack()
  await page.waitForURL('**/account')
  const title = await page.title()
  const result = { stops, options: options.map((text) => text.trim()), focus, said: said > 0, none, title, errors: page.said.errors }
  await browser.close()
  return result
}

/** A French browser gets French; the choice of another language holds. */
export async function french({ url, chromium }) {
  const browser = await launch(chromium)
  const page = await person(browser, `${url}/sign-in`, { locale: 'fr-FR' })
  const at = async () => ({ lang: await page.getAttribute('html', 'lang'), title: await page.title(), button: await page.locator('button[type=submit]').innerText() })
  await page.waitForSelector('button[type=submit]')
  const first = await at()
  await page.getByRole('button', { name: 'English' }).click()
  await page.waitForFunction(() => document.documentElement.lang === 'en')
  await page.reload()
  await page.waitForSelector('button[type=submit]')
  const then = await at()
  const result = { first, then, errors: page.said.errors }
  await browser.close()
  return result
}

/** The app opens without a line, says so, and finds back by itself. Asks for `kill` and `start`. */
export async function without_a_line({ url, chromium, setup_link, ask }) {
  const browser = await launch(chromium)
  const page = await person(browser, setup_link)
  await setUp(page)
  await page.goto(`${url}/account`)
  await inside(page)
  await page.evaluate(() => navigator.serviceWorker.ready)
  const cached = await page.evaluate(async () => {
    const names = await caches.keys()
    const requests = await Promise.all(names.map(async (name) => (await caches.open(name)).keys()))
    return { names: names.length, api: requests.flat().filter(({ url }) => url.includes('/api/')).length }
  })
  page.said.mayBeDown = true
  await ask('kill')
  await page.reload()
  await inside(page)
  const name = await page.inputValue('[name=name]')
  await page.getByText('No connection to the server.').waitFor()
  const wrong = await faults(page)
  await page.fill('[name=name]', 'Written offline')
  await page.getByRole('button', { name: 'Save', exact: true }).click()
  const refused = await page.locator('form [role=alert]').first().textContent()
  await ask('start')
  await page.getByText('No connection to the server.').waitFor({ state: 'detached' })
  page.said.mayBeDown = false
  await page.getByRole('button', { name: 'Save', exact: true }).click()
  await page.getByText('Saved.', { exact: true }).waitFor()
  const result = { cached, name, wrong, refused: refused.trim(), errors: page.said.errors }
  await browser.close()
  return result
}

/** What a browser needs to install the app. */
export async function installable({ url, chromium }) {
  const browser = await launch(chromium)
  const page = await person(browser, `${url}/sign-in`)
  const manifest = await page.evaluate(async () => (await fetch(document.querySelector('link[rel=manifest]').href)).json())
  const icons = await page.evaluate(async (all) => Promise.all(all.map(async ({ src, sizes }) => {
    const bitmap = await createImageBitmap(await (await fetch(src)).blob()).catch(() => null)
    return sizes === 'any' || `${bitmap?.width}x${bitmap?.height}` === sizes
  })), manifest.icons)
  const session = await page.context().newCDPSession(page)
  const { installabilityErrors } = await session.send('Page.getInstallabilityErrors')
  // A browser of a test keeps nothing: that alone is no fault of the app's.
  const result = { start: manifest.start_url, icons, problems: installabilityErrors.map(({ errorId }) => errorId).filter((id) => id !== 'in-incognito'), errors: page.said.errors }
  await browser.close()
  return result
}

/** A node open to anyone asks nobody to sign in; guests have a name of their own. */
export async function open_node({ url, chromium }) {
  const browser = await launch(chromium)
  const page = await person(browser, `${url}/account`)
  await inside(page)
  const heading = await page.getByRole('heading', { name: 'You are a guest' }).count()
  await page.fill('[name=name]', 'Grace Hopper')
  await page.getByRole('button', { name: 'Save', exact: true }).click()
  await page.getByText('Saved.', { exact: true }).waitFor()
  await page.reload()
  await inside(page)
  const result = { heading, name: await page.inputValue('[name=name]'), password: await page.locator('[name=current]').count(), errors: page.said.errors }
  await browser.close()
  return result
}

/** A new version is offered, put off, and taken over when its reader says so. */
export async function new_version({ url, chromium, setup_link }) {
  const proxy = await between(url)
  const browser = await launch(chromium)
  const page = await person(browser, setup_link.replace(url, proxy.address))
  await setUp(page)
  // The worker takes the pages that are there; one that is on its way just then has none until it is loaded again.
  await page.waitForFunction(() => navigator.serviceWorker.controller !== null)
  await page.goto(`${proxy.address}/account`)
  await inside(page)
  const generation = () => page.evaluate(() => document.querySelector('meta[name=generation]')?.content ?? 'first')
  const offers = page.getByText('A new version of Parvis is ready.')
  const first = [await offers.count(), await generation()]
  proxy.isNew = true
  await page.fill('[name=name]', 'Half a sent')
  await page.evaluate(async () => (await navigator.serviceWorker.getRegistration()).update())
  await offers.waitFor()
  const written = await page.inputValue('[name=name]')
  const wrong = await faults(page)
  await page.getByRole('button', { name: 'Later' }).click()
  await offers.waitFor({ state: 'detached' })
  // The version that is running stays, whole, until somebody says otherwise.
  await page.reload()
  await inside(page)
  await offers.waitFor()
  const waiting = await generation()
  await page.getByRole('button', { name: 'Reload' }).click()
  await page.waitForSelector('meta[name=generation]', { state: 'attached' })
  await inside(page)
  const after = [await offers.count(), await generation()]
  // The old version's files go while the new one is shown already.
  await page.waitForFunction(async () => (await globalThis.caches.keys()).length === 1)
  const caches = await page.evaluate(() => globalThis.caches.keys())
  const result = { first, written, waiting, after, caches, wrong, errors: page.said.errors }
  await browser.close()
  proxy.close()
  return result
}
