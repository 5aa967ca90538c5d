// Takes the documentation's pictures, of the real app on a fresh node, as a newcomer would meet it:
//
//   make run PORT=8010 DATA=/tmp/pictures        # prints a link
//   node docs/images/take.mjs LINK && .venv/bin/python docs/images/shrink.py
//
// Ada makes the first account and invites Grace; they write, comment and look around.
import { execFileSync } from 'node:child_process'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { inside, launch, PASSWORD, person, PHONE, setUp, signIn, standing } from '../../tests/browser/browser.mjs'
import { call, open, select } from '../../tests/browser/documents.mjs'

const folder = dirname(fileURLToPath(import.meta.url))
const [link] = process.argv.slice(2)
const url = new URL(link).origin
const TEXT = `The beds behind the library are ours from **1 March**. We meet on Saturdays at ten, and whoever has a key brings the tools.

## What to sow

| When | What | Who |
| --- | --- | --- |
| March | Broad beans, peas | Ada |
| April | Carrots, beetroot | Grace |
| May | Beans, squash, sunflowers | all of us |

## Before we begin

- [x] Ask the library about water
- [ ] Borrow a second wheelbarrow
- [ ] Mend the gate

> The south wall stays dry until noon: nothing tender there.
`
const TEXTE = `Les parterres derrière la bibliothèque sont à nous dès le **1er mars**. Nous nous retrouvons le samedi à dix heures ; qui a une clé apporte les outils.

## Que semer

| Quand | Quoi | Qui |
| --- | --- | --- |
| Mars | Fèves, petits pois | Ada |
| Avril | Carottes, betteraves | Grace |
| Mai | Haricots, courges, tournesols | tout le monde |

## Avant de commencer

- [x] Demander l’eau à la bibliothèque
- [ ] Emprunter une seconde brouette
- [ ] Réparer le portail
`
const browser = await launch(execFileSync('which', ['chromium'], { encoding: 'utf-8' }).trim())
const ada = await person(browser, link)
await ada.waitForSelector('[name=name]')
await setUp(ada)
const { link: invitation } = await call(ada, 'POST', 'invitations', { email: 'grace@example.org' })
const grace = await person(browser, invitation)
await grace.fill('[name=name]', 'Grace Hopper')
await grace.fill('[name=password]', PASSWORD)
await grace.keyboard.press('Enter')
await inside(grace)
const make = async (title, content) => (await call(ada, 'POST', 'docs/documents', { title, format: 'markdown', content })).document.key
const share = (key, role) => call(ada, 'PUT', `docs/documents/${key}/people`, { email: 'grace@example.org', role })
await call(ada, 'POST', 'docs/spaces', { name: 'Garden' })
await call(ada, 'POST', 'docs/spaces', { name: 'Library' })
const seeds = await make('Seeds we have', 'Broad beans, two packets. Peas, one. Sunflowers from last year.')
await make('Minutes, February', 'Six of us came. The tools stay in the shed.')
const jardin = await make('Le jardin au printemps', TEXTE)
const key = await make('The garden in spring', TEXT)
await share(seeds, 'viewer')
await share(jardin, 'editor')
await share(key, 'editor')

const talk = async (key, where, question, answer) => {
  await open(ada, url, key)
  await open(grace, url, key)
  await select(ada, where)
  await ada.keyboard.press('Control+Alt+m')
  await ada.locator('.draft textarea').fill(question)
  await ada.keyboard.press('Control+Enter')
  await ada.waitForSelector('.thread:not(.draft) .body')
  await standing(ada, 'saved')
  await grace.locator('.ProseMirror .comment').first().click()
  await grace.locator('.thread.active .composer textarea').fill(answer)
  await grace.keyboard.press('Control+Enter')
  await ada.waitForFunction(() => document.querySelectorAll('.thread .body').length === 2)
}
const quiet = async (page) => {
  await page.mouse.move(640, 700)
  // Words are counted when there is time for it.
  await new Promise((done) => setTimeout(done, 700))
  await page.locator('[data-tooltip-content]').waitFor({ state: 'detached' })
  await page.evaluate(() => Promise.all(document.getAnimations().filter((each) => each.effect?.getTiming().iterations !== Infinity).map((each) => each.finished.catch(() => null))))
}
const here = async (page) => page.waitForSelector('.others-caret')

// 1. The two write: Grace at the wheelbarrow, seen by Ada with the comments open.
await talk(key, 'Saturdays at ten', 'Could we start at nine? It gets hot by noon.', 'Nine is fine from May on. I’ll tell the others.')
await grace.locator('aside.comments > header .icon-button').click()
await select(grace, 'second wheelbarrow')
await grace.locator('.ProseMirror li', { hasText: 'wheelbarrow' }).click()
await grace.keyboard.press('End')
await grace.keyboard.type(' from the school')
await grace.keyboard.press('Shift+Control+ArrowLeft')
await standing(grace, 'saved')
await here(ada)
await ada.locator('.ProseMirror .comment').first().click({ delay: 80 })
await ada.keyboard.press('ArrowLeft')
await ada.waitForSelector('.thread.active')
await quiet(ada)
await ada.screenshot({ path: join(folder, 'documents.png') })

// 2. Grace in the dark, her history, Ada on a phone.
await grace.context().close()
const again = async (email, options) => {
  const page = await person(browser, `${url}/sign-in`, options)
  await signIn(page, { email })
  await inside(page)
  return page
}
const dark = await again('grace@example.org', { colorScheme: 'dark' })
await open(dark, url, key)
await dark.waitForSelector('.ProseMirror .comment')
await ada.locator('.ProseMirror h2').first().click({ delay: 80 })
await ada.keyboard.press('End')
await here(dark)
await quiet(dark)
await dark.screenshot({ path: join(folder, 'documents-dark.png') })
await dark.locator('header.bar .actions [aria-haspopup=menu]').last().click()
await dark.getByRole('menuitem', { name: 'History' }).click()
await dark.waitForSelector('.history .entry.chosen')
await dark.waitForFunction(() => !document.querySelector('.history .skeleton'))
await quiet(dark)
await dark.screenshot({ path: join(folder, 'documents-history.png') })
await dark.keyboard.press('Escape')
await open(dark, url, key)

const phone = await again('ada@example.org', { ...PHONE, viewport: { width: 390, height: 780 }, deviceScaleFactor: 1.5 })
await open(phone, url, key)
await phone.waitForSelector('.ProseMirror .comment')
await ada.goto(`${url}/docs`)
await dark.locator('.ProseMirror h2').first().click()
await dark.keyboard.press('End')
await here(phone)
await phone.waitForFunction(() => document.querySelectorAll('.others-caret').length === 1)
await phone.screenshot({ path: join(folder, 'documents-phone.png') })

// 3. The home, and the share dialog.
await ada.goto(`${url}/docs`)
await ada.waitForSelector('.rows .open')
await quiet(ada)
await ada.screenshot({ path: join(folder, 'documents-home.png') })
await open(ada, url, key)
await ada.locator('header.bar .actions').getByRole('button', { name: 'Share' }).click()
await ada.waitForSelector('.people li')
await quiet(ada)
await ada.screenshot({ path: join(folder, 'documents-share.png') })
await ada.keyboard.press('Escape')

// 4. Grace in French.
await call(dark, 'PATCH', 'account', { language: 'fr' })
const french = await again('grace@example.org', { locale: 'fr-FR' })
await dark.goto(`${url}/docs`)
await open(french, url, jardin)
await open(ada, url, jardin)
await ada.locator('.ProseMirror h2').first().click({ delay: 80 })
await ada.keyboard.press('End')
await here(french)
await select(french, 'bibliothèque')
await french.keyboard.press('Control+Alt+m')
await french.locator('.draft textarea').fill('Faut-il redemander les clés ?')
await french.keyboard.press('Control+Enter')
await french.waitForSelector('.thread:not(.draft) .body')
await standing(french, 'saved')
await french.locator('.ProseMirror .comment').first().click({ delay: 80 })
await french.waitForSelector('.thread.active')
await quiet(french)
await french.screenshot({ path: join(folder, 'documents-french.png') })
const errors = [ada, dark, phone, french].flatMap(({ said }) => said.errors)
if (errors.length > 0) throw new Error(`the console said ${JSON.stringify(errors)}`)
await browser.close()
