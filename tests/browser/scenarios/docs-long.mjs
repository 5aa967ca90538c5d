// A document so long that it is drawn in sections: writing in it is like writing in a short one.
import { documentOf, errorsOf, launch, member, open } from '../documents.mjs'

const LINES = 400

/** Whether every block is drawn in its place, how many there are, and the one with the caret. */
const looked = (page) =>
  page.evaluate(async () => {
    await new Promise((painted) => requestAnimationFrame(() => setTimeout(painted)))
    const root = document.querySelector('.ProseMirror')
    const drawn = [...root.shadowRoot.querySelectorAll('slot')].flatMap((slot) => slot.assignedNodes())
    let block = getSelection().focusNode
    while (block !== null && block.parentNode !== root) block = block.parentNode
    const isSeen = block !== null && block.getBoundingClientRect().top > 0 && block.getBoundingClientRect().bottom < innerHeight
    return { inPlace: drawn.length === root.childNodes.length && drawn.every((node, at) => node === root.childNodes[at]), blocks: drawn.length, at: block?.textContent ?? '', isSeen }
  })

/** Writes, splits, joins, selects, pastes and goes to both ends, as fast as keys come. */
export async function written({ url, chromium }) {
  const browser = await launch(chromium)
  const ada = await member(browser, url, 'ada')
  const key = await documentOf(ada, 'Long', Array.from({ length: LINES }, (_, line) => `Line ${line}.`).join('\n\n'))
  await open(ada, url, key)
  await ada.waitForFunction((lines) => document.querySelector('.ProseMirror').childElementCount >= lines, LINES)
  const { keyboard } = ada
  const seen = {}
  await ada.focus('.ProseMirror')
  await keyboard.press('Control+Home')
  await keyboard.type('First. ')
  seen.start = await looked(ada)
  await keyboard.press('Control+End')
  await keyboard.type(' Last.')
  seen.end = await looked(ada)
  for (let line = 0; line < 70; line++) {
    await keyboard.press('Enter')
    await keyboard.type(`new ${line}`)
  }
  seen.lines = await looked(ada)
  for (let line = 0; line < 70; line++) await keyboard.press('ArrowUp')
  seen.up = await looked(ada)
  await keyboard.press('End')
  await keyboard.press('Delete')
  seen.joined = await looked(ada)
  await keyboard.press('Enter')
  await keyboard.press('Control+a')
  await keyboard.press('ArrowRight')
  await keyboard.type('!')
  seen.all = await looked(ada)
  await keyboard.press('Control+Home')
  await ada.evaluate(() => {
    const clipboardData = new DataTransfer()
    clipboardData.setData('text/html', Array.from({ length: 100 }, (_, line) => `<p>pasted ${line}</p>`).join(''))
    document.querySelector('.ProseMirror').dispatchEvent(new ClipboardEvent('paste', { clipboardData, bubbles: true, cancelable: true }))
  })
  await keyboard.type('|')
  seen.pasted = await looked(ada)
  await keyboard.press('Control+a')
  await keyboard.press('Delete')
  await keyboard.type('Nothing else.')
  seen.emptied = await looked(ada)
  const result = { seen, errors: errorsOf(ada) }
  await browser.close()
  return result
}
