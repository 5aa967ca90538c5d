// How the page looks and handles: screenshots, contrast, width, language, keyboard.
import { join } from 'node:path'
import { callYourself, goToEnd, launch, light, person, textThat } from '../browser.mjs'

const PHONE = { viewport: { width: 390, height: 844 }, deviceScaleFactor: 2, isMobile: true, hasTouch: true }
const LOOKS = {
  light: { colorScheme: 'light', locale: 'en-GB' },
  dark: { colorScheme: 'dark', locale: 'en-GB' },
  french: { colorScheme: 'light', locale: 'fr-FR' },
  phone: { colorScheme: 'light', locale: 'en-GB', ...PHONE },
  'phone-dark-french': { colorScheme: 'dark', locale: 'fr-CA', ...PHONE },
}
const READ = '#title, .cm-line, #light-word, .caption, .foot button, .wordmark, #notice, .face'

/** Opens the page in each look. Returns faults: texts with too little contrast, sideways scrolling. */
export async function every_look({ url, chromium, key, folder }) {
  const browser = await launch(chromium)
  const address = `${url}/#${key}`
  const author = await person(browser, address)
  await light(author, 'saved')
  await callYourself(author, 'Ada Lovelace')
  await goToEnd(author)
  const words = 'We meet at ten in the small room. Bring the figures of last month and one idea for the entrance hall.'
  await author.keyboard.type(words)
  await light(author, 'saved')
  const faults = {}
  const errors = []
  for (const [name, options] of Object.entries(LOOKS)) {
    const page = await person(browser, address, options)
    await light(page, 'saved')
    await textThat(page, 'the text', (whole) => whole === words)
    await page.screenshot({ path: join(folder, `${name}.png`) })
    await page.click('#documents-button')
    await page.screenshot({ path: join(folder, `${name}-documents.png`) })
    await page.keyboard.press('Escape')
    await page.click('#people-button')
    await page.screenshot({ path: join(folder, `${name}-people.png`) })
    await page.keyboard.press('Escape')
    const found = [...(await page.evaluate(lowContrast, READ)), ...(await sideways(page))]
    page.said.mayBeDown = true
    await page.context().setOffline(true)
    await light(page, 'offline')
    await page.screenshot({ path: join(folder, `${name}-offline.png`) })
    found.push(...(await page.evaluate(lowContrast, READ)), ...(await sideways(page)))
    if (found.length > 0) faults[name] = found
    errors.push(...page.said.errors)
    await page.context().close()
  }
  await browser.close()
  return { faults, errors: [...errors, ...author.said.errors] }
}

async function sideways(page) {
  // A phone would zoom out to show it all: innerWidth is no measure there.
  const over = (await page.evaluate(() => document.documentElement.scrollWidth)) - page.viewportSize().width
  return over > 0 ? [`${over} px wider than the window`] : []
}

/** Runs in the page: the texts below WCAG AA's 4.5, as `selector: ratio`. */
function lowContrast(selectors) {
  const parse = (color) => {
    const context = Object.assign(document.createElement('canvas'), { width: 1, height: 1 }).getContext('2d')
    context.fillStyle = color
    context.fillRect(0, 0, 1, 1)
    return [...context.getImageData(0, 0, 1, 1).data]
  }
  const luminance = (color) => {
    const [red, green, blue] = color.slice(0, 3).map((byte) => {
      const part = byte / 255
      return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4
    })
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
  }
  const behind = (node) => {
    for (let at = node; at; at = at.parentElement) {
      const color = parse(getComputedStyle(at).backgroundColor)
      if (color[3] === 255) return color
    }
    return parse('white')
  }
  const faults = []
  for (const node of document.querySelectorAll(selectors)) {
    if (!node.checkVisibility() || !node.textContent.trim()) continue
    const [a, b] = [luminance(parse(getComputedStyle(node).color)), luminance(behind(node))]
    const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05)
    if (ratio < 4.5) faults.push(`${node.id || node.className || node.tagName}: ${ratio.toFixed(2)}`)
  }
  return faults
}

/** The page without a mouse, in French, then in English. Returns what was found on the way. */
export async function keyboard_and_language({ url, chromium, key }) {
  const browser = await launch(chromium)
  const page = await person(browser, `${url}/#${key}`, { locale: 'fr-FR' })
  await light(page, 'saved')
  const french = { lang: await page.getAttribute('html', 'lang'), light: await page.textContent('#light-word') }

  const stops = []
  for (let press = 0; press < 7; press += 1) {
    await page.keyboard.press('Tab')
    stops.push(await page.evaluate(() => {
      const { activeElement: node } = document
      const ring = getComputedStyle(node).outlineStyle !== 'none' || node.classList.contains('cm-content')
      return `${node.id || node.className.split(' ')[0]}${ring ? '' : ' (focus not visible)'}`
    }))
    if (stops.at(-1) === 'language') break
  }
  await page.keyboard.press('Enter')
  const english = { lang: await page.getAttribute('html', 'lang'), light: await page.textContent('#light-word') }

  // To another document and back, by keys alone.
  await page.focus('#documents-button')
  await page.keyboard.press('Enter')
  await page.keyboard.type('another place')
  await page.keyboard.press('Enter')
  await page.waitForFunction(() => document.getElementById('title').textContent === 'another place')
  await light(page, 'saved')
  await page.goBack()
  await page.waitForFunction((title) => document.getElementById('title').textContent === title, key)
  await light(page, 'saved')
  const result = { french, english, stops, errors: page.said.errors }
  await browser.close()
  return result
}

/** Names on a phone, a long name at its edge, and a long text whose cursor goes up under the bar. */
export async function small_and_long({ url, chromium, key }) {
  const browser = await launch(chromium)
  const address = `${url}/#${key}`
  const author = await person(browser, address)
  await light(author, 'saved')
  await callYourself(author, 'Maximiliane von Hohenzollern-Sigmaringen')
  await goToEnd(author)
  await author.keyboard.insertText(Array.from({ length: 300 }, (_, line) => `Line ${line}, with words up to the edge of a phone.`).join('\n'))
  await light(author, 'saved')
  for (let press = 0; press < 40; press += 1) await author.keyboard.press('ArrowUp')
  await author.waitForFunction(() => {
    const caret = getSelection().getRangeAt(0).getBoundingClientRect()
    return scrollY > 0 && caret.top >= document.getElementById('bar').getBoundingClientRect().bottom
  })

  const phone = await person(browser, address, PHONE)
  await light(phone, 'saved')
  await author.keyboard.press('Control+Home')
  await author.keyboard.press('End')
  const label = phone.locator('.caret-name')
  await label.waitFor()
  const box = await label.boundingBox()
  const inside = box.x >= 0 && box.x + box.width <= PHONE.viewport.width
  const names = await phone.getByRole('banner').getByRole('button').evaluateAll((buttons) =>
    buttons.map((button) => button.ariaLabel ?? button.textContent.trim()))
  const shown = await phone.getByRole('button', { name: 'Documents', exact: true }).count()
  const result = {
    names: shown === 1 ? names : [],
    over: await sideways(phone),
    label: { inside, name: await label.textContent() },
    errors: [author, phone].flatMap(({ said }) => said.errors),
  }
  await browser.close()
  return result
}

/** The link button, and an address that names no document. */
export async function links({ url, chromium, key }) {
  const browser = await launch(chromium)
  const page = await person(browser, `${url}/?room=${encodeURIComponent(key)}&token=mine`)
  await light(page, 'saved')
  await page.context().grantPermissions(['clipboard-read', 'clipboard-write'])
  await page.click('#link-button')
  await page.waitForSelector('#link-button.done')
  const copied = await page.evaluate(() => navigator.clipboard.readText())
  const friend = await person(browser, copied)
  await light(friend, 'saved')
  const title = await friend.textContent('#title')

  const lost = await person(browser, `${url}/#${'x'.repeat(513)}`)
  const told = await lost.textContent('.card h1')
  await lost.click('.card a')
  await light(lost, 'saved')
  const found = await lost.textContent('#title')
  const result = { copied: copied.replace(url, ''), title, told, found, errors: [page, friend, lost].flatMap(({ said }) => said.errors) }
  await browser.close()
  return result
}
