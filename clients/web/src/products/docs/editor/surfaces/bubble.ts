// The bar over selected text, over an image and in a table; one surface with three contents.
import type { Editor } from '@tiptap/core'
import { NodeSelection, TextSelection } from '@tiptap/pm/state'
import { CellSelection } from '@tiptap/pm/tables'
import type { Uploads } from '../images/uploads'
import { HIGHLIGHTS } from '../schema/marks'
import type { EditorCommands, MarkName, TableStep, Words } from '../types'
import { button, icon, make } from './dom'
import { popup } from './popup'

export interface BubbleHooks {
  root: HTMLElement
  words: Words
  commands: EditorCommands
  covered: () => { top: number; bottom: number }
  comment: () => boolean
  uploads: Uploads
}

type Kind = 'text' | 'image' | 'table'

const MARKS: readonly { mark: Exclude<MarkName, 'link' | 'highlight'>; sign: string }[] = [
  { mark: 'bold', sign: 'B' },
  { mark: 'italic', sign: 'I' },
  { mark: 'underline', sign: 'U' },
  { mark: 'strike', sign: 'S' },
  { mark: 'code', sign: '<>' },
]

const STEPS: readonly TableStep[] = [
  'rowBefore',
  'rowAfter',
  'columnBefore',
  'columnAfter',
  'deleteRow',
  'deleteColumn',
  'merge',
  'split',
  'headerRow',
  'headerColumn',
  'delete',
]

export interface Bubble {
  attach(editor: Editor): void
  /** Shows, hides or moves it after the selection or the text changed. */
  update(): void
  /** Puts the focus into it; Escape gives it back. */
  focus(): boolean
  close(): void
  destroy(): void
}

export function bubble({ root, words, commands, covered, comment }: BubbleHooks): Bubble {
  const bar = make('div', { class: 'doc-bubble', role: 'toolbar' })
  const float = popup({ root, dom: bar, side: 'above', covered })
  let editor: Editor | null = null
  let shown: Kind | null = null
  let isPointing = false
  let isEntering = false
  let dismissed: unknown = null
  let timer: ReturnType<typeof setTimeout> | undefined

  const kindOf = (): Kind | null => {
    if (editor === null || !editor.isEditable) return null
    const { selection } = editor.state
    if (selection instanceof NodeSelection) return selection.node.type.name === 'image' ? 'image' : null
    if (selection instanceof CellSelection) return 'table'
    if (selection instanceof TextSelection && !selection.empty) {
      const { $from, $to } = selection
      const isCode = $from.sameParent($to) && $from.parent.type.spec.code === true
      return isCode || editor.state.doc.textBetween(selection.from, Math.min(selection.to, selection.from + 200), ' ').trim() === '' ? null : 'text'
    }
    return selection.empty && tableAround() !== null ? 'table' : null
  }

  const tableAround = (): HTMLElement | null => {
    if (editor === null || !(editor.isFocused || isEntering || bar.contains(document.activeElement))) return null
    const { $from } = editor.state.selection
    for (let depth = $from.depth; depth > 0; depth -= 1) {
      if ($from.node(depth).type.name === 'table') return editor.view.nodeDOM($from.before(depth)) as HTMLElement | null
    }
    return null
  }

  const rect = (): DOMRect | null => {
    if (editor === null) return null
    const { selection } = editor.state
    if (selection instanceof NodeSelection) return (editor.view.nodeDOM(selection.from) as HTMLElement | null)?.getBoundingClientRect() ?? null
    if (selection.empty) return tableAround()?.getBoundingClientRect() ?? null
    const from = editor.view.coordsAtPos(selection.from, 1)
    const to = editor.view.coordsAtPos(selection.to, -1)
    const left = from.top === to.top ? from.left : Math.min(from.left, to.left)
    return new DOMRect(left, from.top, Math.max(0, from.top === to.top ? to.right - from.left : 0), to.bottom - from.top)
  }

  const fill = (kind: Kind) => {
    const label = words(`editor.bubble.${kind}`)
    bar.setAttribute('aria-label', label)
    bar.replaceChildren(...CONTENTS[kind]())
    ;[...bar.querySelectorAll<HTMLElement>('button, input')].forEach((item, index) => (item.tabIndex = index === 0 ? 0 : -1))
  }

  const CONTENTS: Record<Kind, () => HTMLElement[]> = {
    text: () => [
      ...MARKS.map(({ mark, sign }) =>
        button(words(`editor.mark.${mark}`), sign, () => commands.toggle(mark), { class: `doc-button is-${mark}`, 'data-mark': mark }),
      ),
      ...HIGHLIGHTS.slice(0, 3).map((color) =>
        button(words(`editor.highlight.${color}`), icon('marker'), () => commands.highlight(editor?.isActive('highlight', { color }) === true ? null : color), {
          class: 'doc-button',
          'data-highlight': color,
        }),
      ),
      button(words('editor.link.edit'), icon('link'), () => commands.editLink(), { class: 'doc-button', 'data-mark': 'link' }),
      button(words('editor.comment'), icon('comment'), () => void comment(), { class: 'doc-button' }),
    ],
    image: imageTools,
    table: () =>
      STEPS.map((step) =>
        button(words(`editor.table.${step}`), icon(step === 'delete' ? 'remove' : step), () => commands.table(step), { class: 'doc-button' }),
      ),
  }

  function imageTools(): HTMLElement[] {
    const field = make('input', { class: 'doc-field', type: 'text', 'aria-label': words('editor.image.alt') })
    field.placeholder = words('editor.image.alt')
    field.maxLength = 1000
    const selected = () => {
      const selection = editor?.state.selection
      return selection instanceof NodeSelection && selection.node.type.name === 'image' ? selection : null
    }
    field.value = String(selected()?.node.attrs['alt'] ?? '')
    const set = (name: string, value: unknown) => {
      const selection = selected()
      if (editor === null || selection === null || selection.node.attrs[name] === value) return
      const { tr } = editor.state
      tr.setNodeAttribute(selection.from, name, value)
      editor.view.dispatch(tr.setSelection(NodeSelection.create(tr.doc, selection.from)))
    }
    field.addEventListener('change', () => set('alt', field.value.trim()))
    field.addEventListener('keydown', (event) => {
      if (event.key !== 'Enter') return
      event.preventDefault()
      set('alt', field.value.trim())
      editor?.view.focus()
    })
    const sizes = [25, 50, 100].map((share) =>
      button(words('editor.image.share', { n: share }), `${share} %`, () => {
        const page = editor?.view.dom.clientWidth ?? 0
        set('width', Math.round((page * share) / 100))
      }, { class: 'doc-button' }),
    )
    const natural = button(words('editor.image.natural'), '1:1', () => set('width', null), { class: 'doc-button' })
    const remove = button(words('editor.image.remove'), icon('remove'), () => {
      editor?.view.focus()
      editor?.commands.deleteSelection()
    }, { class: 'doc-button' })
    return [field, ...sizes, natural, remove]
  }

  const press = () => {
    if (editor === null || shown !== 'text') return
    for (const item of bar.querySelectorAll<HTMLElement>('[data-mark]')) {
      item.setAttribute('aria-pressed', String(editor.isActive(item.dataset['mark']!)))
    }
    for (const item of bar.querySelectorAll<HTMLElement>('[data-highlight]')) {
      item.setAttribute('aria-pressed', String(editor.isActive('highlight', { color: item.dataset['highlight'] })))
    }
  }

  const close = () => {
    clearTimeout(timer)
    timer = undefined
    shown = null
    float.close()
  }

  const show = () => {
    timer = undefined
    const kind = kindOf()
    if (kind === null || isPointing || editor === null) return
    if (kind !== shown) fill(kind)
    shown = kind
    press()
    float.open(rect)
  }

  const update = () => {
    const kind = kindOf()
    if (kind === null || editor?.state.selection === dismissed) {
      if (!bar.contains(document.activeElement) || kind === null) close()
      return
    }
    if (shown === kind) {
      press()
      float.place()
    } else if (timer === undefined && !isPointing) timer = setTimeout(show, 150)
  }

  const down = (event: PointerEvent) => {
    if (bar.contains(event.target as HTMLElement)) return
    isPointing = true
  }
  const up = () => {
    if (!isPointing) return
    isPointing = false
    update()
  }

  bar.addEventListener('keydown', (event) => {
    const items = [...bar.querySelectorAll<HTMLElement>('button, input')]
    const at = items.indexOf(document.activeElement as HTMLElement)
    const isField = document.activeElement instanceof HTMLInputElement
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key] ?? 0
    if (event.key === 'Escape') {
      event.preventDefault()
      dismissed = editor?.state.selection
      close()
      editor?.view.focus()
    } else if (event.key === 'Tab' || (step !== 0 && !isField)) {
      event.preventDefault()
      const move = event.key === 'Tab' ? (event.shiftKey ? -1 : 1) : step
      items[(at + move + items.length) % items.length]?.focus()
    }
  })

  return {
    attach(now) {
      editor = now
      root.addEventListener('pointerdown', down, true)
      window.addEventListener('pointerup', up)
      window.addEventListener('pointercancel', up)
      now.on('transaction', update)
      now.on('focus', update)
      now.on('blur', ({ event }) => {
        if (!isEntering && !root.contains(event.relatedTarget as HTMLElement | null)) close()
      })
    },
    update,
    focus() {
      clearTimeout(timer)
      dismissed = null
      show()
      const first = bar.querySelector<HTMLElement>('button, input')
      if (shown === null || first === null) return false
      isEntering = true
      first.focus()
      isEntering = false
      return true
    },
    close,
    destroy() {
      clearTimeout(timer)
      root.removeEventListener('pointerdown', down, true)
      window.removeEventListener('pointerup', up)
      window.removeEventListener('pointercancel', up)
      float.destroy()
    },
  }
}
