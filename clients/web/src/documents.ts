// The sheet to open or make a document, the list of recent ones, and the link to this one.
import { documentKey, excess, freshKey, goTo, keyFrom, linkTo } from './address'
import { byId } from './dom'
import { tell } from './spoken'
import { say } from './words'

const RECENT = 'parvis.recent'
const MOST_RECENT = 6
const COPIED_FOR = 2000

function recent(): string[] {
  try {
    const kept: unknown = JSON.parse(localStorage.getItem(RECENT) ?? '[]')
    return Array.isArray(kept) ? kept.filter((key) => typeof key === 'string') : []
  } catch {
    return []
  }
}

/** Puts `key` first among the recent documents of this browser. */
export function remember(key: string): void {
  const keys = [key, ...recent().filter((other) => other !== key)].slice(0, MOST_RECENT)
  localStorage.setItem(RECENT, JSON.stringify(keys))
}

/** Makes the documents button and its sheet work. Calls `opened` when somebody has chosen. */
export function wireDocuments(opened: () => void): void {
  const sheet = byId('documents', HTMLDialogElement)
  const form = byId('documents-form', HTMLFormElement)
  const input = byId('key', HTMLInputElement)
  const error = byId('key-error', HTMLElement)
  const go = (key: string) => {
    sheet.close()
    goTo(key)
    opened()
  }

  byId('documents-button', HTMLButtonElement).addEventListener('click', () => {
    error.textContent = ''
    input.removeAttribute('aria-invalid')
    input.value = freshKey()
    paintRecent(go)
    sheet.showModal()
    input.select()
  })
  byId('documents-cancel', HTMLButtonElement).addEventListener('click', () => sheet.close())
  // Where it was pressed: selecting text may end outside the sheet.
  sheet.addEventListener('mousedown', (event) => event.target === sheet && sheet.close())
  form.addEventListener('submit', (event) => {
    event.preventDefault()
    const key = keyFrom(input.value)
    const over = excess(key)
    if (key && over === 0) {
      go(key)
      return
    }
    error.textContent = key ? say('openLong', { n: over }) : say('openEmpty')
    input.setAttribute('aria-invalid', 'true')
    input.focus()
  })
}

function paintRecent(open: (key: string) => void): void {
  const here = documentKey()
  const others = recent().filter((key) => key !== here)
  byId('recent', HTMLElement).hidden = others.length === 0
  byId('recent-list', HTMLElement).replaceChildren(
    ...others.map((key) => {
      const item = document.createElement('li')
      const button = document.createElement('button')
      button.type = 'button'
      button.className = 'row'
      button.append(Object.assign(document.createElement('span'), { textContent: key }))
      button.title = key
      button.addEventListener('click', () => open(key))
      item.append(button)
      return item
    }),
  )
}

/** Makes the button that copies the link work; where the clipboard is shut, shows the link. */
export function wireLink(): { paint: () => void } {
  const button = byId('link-button', HTMLButtonElement)
  const word = byId('link-word', HTMLElement)
  let copied = false
  const paint = () => {
    word.textContent = say(copied ? 'copied' : 'copyLink')
    button.classList.toggle('done', copied)
  }
  button.addEventListener('click', () => {
    const link = linkTo(documentKey())
    copy(link).then(
      () => {
        copied = true
        paint()
        tell(say('linkCopied'))
        setTimeout(() => {
          copied = false
          paint()
        }, COPIED_FOR)
      },
      () => prompt(say('copyByHand'), link),
    )
  })
  return { paint }
}

async function copy(text: string): Promise<void> {
  // Absent where the page is neither on https nor on this machine.
  const clipboard = navigator.clipboard as Clipboard | undefined
  if (clipboard === undefined) throw new Error('no clipboard on this page')
  await clipboard.writeText(text)
}
