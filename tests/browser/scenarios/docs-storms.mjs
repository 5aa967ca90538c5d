// What happens to what somebody writes when lines, servers and stores fail.
import { faults, standings, text } from '../browser.mjs'
import { documentOf, errorsOf, launch, member, open, share, standing, textThat, write } from '../documents.mjs'

/** Two tabs of one person write without a line; both come back, and somebody else reads all of it. */
export async function offline_in_two_tabs({ url, chromium }) {
  const browser = await launch(chromium)
  const [ada, grace] = [await member(browser, url, 'ada'), await member(browser, url, 'grace')]
  const key = await documentOf(ada, 'On the train', 'Start.')
  await share(ada, key, 'grace', 'editor')
  await open(ada, url, key)
  await open(grace, url, key)
  const second = await ada.context().newPage()
  second.said = ada.said
  await open(second, url, key)
  ada.said.mayBeDown = true
  await ada.context().setOffline(true)
  await write(ada, ' One tab.')
  await standing(ada, 'device')
  await write(second, ' Other tab.')
  await standing(second, 'device')
  const words = await ada.locator('[data-standing] .word').textContent()
  await ada.click('[data-standing]')
  const sentence = await ada.locator('[role=dialog] .words strong').textContent()
  await ada.keyboard.press('Escape')
  await write(grace, ' Here.')
  await standing(grace, 'saved')
  // The home says what can be opened, and it opens, also after a reload: the app itself is here, too.
  const home = await ada.context().newPage()
  await home.goto(`${url}/docs`)
  await home.waitForSelector('.lost')
  const listed = await home.locator('.rows .open').allTextContents()
  await home.locator('.rows .open', { hasText: 'On the train' }).first().click()
  const both = (whole) => whole.includes('One tab.') && whole.includes('Other tab.')
  await textThat(home, 'what both tabs wrote', both)
  await ada.context().setOffline(false)
  const all = (whole) => both(whole) && whole.includes('Here.')
  const merged = [await textThat(ada, 'the merge', all), await textThat(second, 'the merge', all), await textThat(grace, 'the merge', all)]
  await Promise.all([standing(ada, 'saved'), standing(second, 'saved')])
  const result = { words, sentence, listed: listed.includes('On the train'), same: new Set(merged).size, errors: errorsOf(grace) }
  await browser.close()
  return result
}

/** The server is killed while somebody types. Asks for `kill` and `start`. */
export async function killed_while_typing({ url, chromium, ask }) {
  const browser = await launch(chromium)
  const ada = await member(browser, url, 'ada')
  const key = await documentOf(ada, 'Through the storm', 'Start.')
  await open(ada, url, key)
  const run = (name) => Array.from({ length: 20 }, (_, index) => ` ${name}${index}`).join('')
  await write(ada, run('a'))
  await standing(ada, 'saved')
  ada.said.mayBeDown = true
  await Promise.all([ada.keyboard.type(run('b')), ask('kill')])
  await ada.keyboard.type(run('c'))
  await standing(ada, 'device')
  await ask('start')
  await ada.keyboard.type(run('d'))
  await standing(ada, 'saved')
  const typed = `Start.${run('a')}${run('b')}${run('c')}${run('d')}`
  const shown = await text(ada)
  ada.said.mayBeDown = false
  // Somebody who sees only what the server has.
  const reader = await member(browser, url, 'ada')
  await open(reader, url, key)
  const read = await textThat(reader, 'everything that was typed', (whole) => whole === typed)
  const result = { same: shown === typed && read === typed, standings: await standings(ada), errors: errorsOf(ada, reader) }
  await browser.close()
  return result
}

/** The store stands still while a guest, whose browser keeps nothing, types. Asks for `stall` and `flow`. */
export async function store_stalled({ url, chromium, ask }) {
  const browser = await launch(chromium)
  const [ada, grace] = [await member(browser, url, 'ada'), await member(browser, url, 'grace')]
  const key = await documentOf(ada, 'Waiting', 'Start.')
  await share(ada, key, 'grace', 'editor')
  // A browser that keeps nothing: then "not saved" is the truth.
  await ada.addInitScript(() => {
    Object.defineProperty(globalThis, 'indexedDB', { value: undefined })
  })
  await open(ada, url, key)
  await open(grace, url, key)
  await ask('stall')
  await write(ada, ' While the store stands still.')
  await standing(ada, 'unsaved')
  const words = await ada.locator('[data-standing] .word').textContent()
  await textThat(grace, 'what is not saved yet', (whole) => whole.includes('stands still'))
  await ask('flow')
  await standing(ada, 'saved')
  const result = { words, standings: await standings(ada), errors: errorsOf(ada, grace) }
  await browser.close()
  return result
}

/** Signing out asks first while something is only in this browser, and not once the server has it. Asks for `kill` and `start`. */
export async function signing_out({ url, chromium, ask }) {
  const browser = await launch(chromium)
  const ada = await member(browser, url, 'ada')
  const key = await documentOf(ada, 'Not there yet', 'Start.')
  await open(ada, url, key)
  const signOut = async () => {
    await ada.locator('.sidebar footer button').click()
    await ada.getByRole('menuitem', { name: 'Sign out' }).click()
  }
  ada.said.mayBeDown = true
  await ask('kill')
  await write(ada, ' Only here.')
  await standing(ada, 'device')
  await signOut()
  const question = await ada.getByRole('dialog').textContent()
  const wrong = await faults(ada)
  await ada.getByRole('button', { name: 'Stay signed in' }).click()
  await ada.getByRole('dialog').waitFor({ state: 'detached' })
  // From the list of documents, too, where none is open.
  await ada.locator('nav').getByRole('link', { name: 'Recent' }).click()
  await ada.waitForSelector('.rows')
  await signOut()
  await ada.getByRole('button', { name: 'Stay signed in' }).click()
  await ada.goBack()
  const kept = await textThat(ada, 'what was written', (whole) => whole.includes('Only here.'))
  await ask('start')
  await standing(ada, 'saved')
  ada.said.mayBeDown = false
  await signOut()
  await ada.waitForSelector('[name=password]')
  const left = await ada.evaluate(async () => ({ databases: (await indexedDB.databases()).length, keys: Object.keys(localStorage).filter((each) => each.includes('kept') || each.includes('session')) }))
  const result = { asked: question.includes('Something is not on the server yet.'), kept, left, wrong, errors: errorsOf(ada) }
  await browser.close()
  return result
}
