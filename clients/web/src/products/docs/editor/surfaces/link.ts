// The popover in which a link's address is written, opened and taken off.
import { getMarkRange, type Editor } from '@tiptap/core'
import { safeLink } from '../schema/links'
import type { EditorCommands, Words } from '../types'
import { button, icon, make } from './dom'
import { popup } from './popup'

export interface LinkPopover {
  open(editor: Editor): boolean
  close(): void
  destroy(): void
}

export function linkPopover(root: HTMLElement, words: Words, commands: EditorCommands, covered: () => { top: number; bottom: number }): LinkPopover {
  const form = make('form')
  const dialog = make('div', { class: 'doc-link', role: 'dialog' }, form)
  const float = popup({ root, dom: dialog, covered })
  let editor: Editor | null = null

  const close = () => {
    float.close()
    editor = null
  }
  const leave = () => {
    const now = editor
    close()
    now?.view.focus()
  }

  form.addEventListener('keydown', (event) => {
    if (event.key !== 'Escape') return
    event.preventDefault()
    event.stopPropagation()
    leave()
  })
  form.addEventListener('focusout', (event) => {
    if (!form.contains(event.relatedTarget as HTMLElement | null) && event.relatedTarget !== null) close()
  })
  const outside = (event: PointerEvent) => {
    if (float.isOpen && !form.contains(event.target as HTMLElement)) close()
  }
  document.addEventListener('pointerdown', outside, true)

  return {
    open(now) {
      editor = now
      const href = String(now.getAttributes('link')['href'] ?? '')
      const field = make('input', { class: 'doc-field', type: 'text', 'aria-label': words('editor.link.address') })
      const failure = make('div', { class: 'doc-link-failure', role: 'alert' })
      field.inputMode = 'url'
      field.spellcheck = false
      field.autocomplete = 'off'
      field.placeholder = words('editor.link.address')
      field.value = href
      dialog.setAttribute('aria-label', words('editor.link.edit'))
      const apply = make('button', { type: 'submit', class: 'doc-button is-main' }, words('editor.link.apply'))
      const open = button(words('editor.link.open'), icon('open'), () => openLink(href), { class: 'doc-button' })
      const remove = button(
        words('editor.link.remove'),
        icon('remove'),
        () => {
          leave()
          commands.link(null)
        },
        { class: 'doc-button' },
      )
      form.replaceChildren(field, apply, ...(href === '' ? [] : [open, remove]), failure)
      form.onsubmit = (event) => {
        event.preventDefault()
        const text = field.value.trim()
        if (text !== '' && safeLink(text) === null) {
          failure.textContent = words('editor.link.unsafe')
          field.setAttribute('aria-invalid', 'true')
          return
        }
        leave()
        commands.link(text === '' ? null : text)
      }
      float.open(() => rectOf(now))
      field.focus()
      field.select()
      return true
    },
    close,
    destroy() {
      document.removeEventListener('pointerdown', outside, true)
      float.destroy()
    },
  }
}

function rectOf(editor: Editor): DOMRect | null {
  if (editor.isDestroyed) return null
  const { selection, schema } = editor.state
  const range = getMarkRange(selection.$from, schema.marks['link']!)
  const from = editor.view.coordsAtPos(range?.from ?? selection.from)
  const to = editor.view.coordsAtPos(range?.to ?? selection.to)
  return new DOMRect(from.left, from.top, 0, to.bottom - from.top)
}

/** In a new window that knows nothing of this one. */
export function openLink(href: string): void {
  const address = safeLink(href)
  if (address !== null) window.open(address, '_blank', 'noopener,noreferrer')
}
