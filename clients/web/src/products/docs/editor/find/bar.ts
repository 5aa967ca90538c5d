// The bar that finds and replaces; comes when it is first asked for.
import type { Editor } from '@tiptap/core'
import { Plugin, PluginKey, TextSelection } from '@tiptap/pm/state'
import { Decoration, DecorationSet } from '@tiptap/pm/view'
import type { Binding } from '../binding/binding'
import { button, icon, make } from '../surfaces/dom'
import type { Words } from '../types'
import { nextFrom, searcher, type Match } from './search'

/** So many matches around the current one are drawn; the others are counted. */
const DRAWN = 500

const findKey = new PluginKey<DecorationSet>('find')

export interface FindHooks {
  root: HTMLElement
  words: Words
  editor: Editor
  binding: Binding
  covered: () => { top: number; bottom: number }
}

export function findBar({ root, words, editor, binding, covered }: FindHooks): { open(replace: boolean): void; destroy(): void } {
  let matches: Match[] = []
  let current = 0
  let search = searcher({ text: '', caseSensitive: false, wholeWord: false })
  let frame = 0
  let isOpen = false

  const field = make('input', { class: 'doc-field', type: 'search', 'aria-label': words('editor.find.text') })
  const other = make('input', { class: 'doc-field', type: 'text', 'aria-label': words('editor.find.with') })
  const count = make('span', { class: 'doc-find-count', role: 'status' })
  const toggle = (key: string, sign: string) => {
    const made = button(words(key), sign, () => {
      made.setAttribute('aria-pressed', String(made.getAttribute('aria-pressed') !== 'true'))
      restart()
    }, { class: 'doc-button', 'aria-pressed': 'false' })
    return made
  }
  const isOn = (made: HTMLElement) => made.getAttribute('aria-pressed') === 'true'
  const caseSensitive = toggle('editor.find.case', 'Aa')
  const wholeWord = toggle('editor.find.word', '“ab”')
  const replaceRow = make(
    'div',
    { class: 'doc-find-row' },
    other,
    button(words('editor.find.replace'), words('editor.find.replace'), () => replace(), { class: 'doc-button is-text' }),
    button(words('editor.find.all'), words('editor.find.all'), () => replaceAll(), { class: 'doc-button is-text' }),
  )
  const bar = make(
    'div',
    { class: 'doc-find', role: 'search', 'aria-label': words('editor.find') },
    make(
      'div',
      { class: 'doc-find-row' },
      field,
      count,
      caseSensitive,
      wholeWord,
      button(words('editor.find.previous'), icon('up'), () => go(-1), { class: 'doc-button' }),
      button(words('editor.find.next'), icon('down'), () => go(1), { class: 'doc-button' }),
      button(words('editor.find.close'), icon('close'), () => close(), { class: 'doc-button' }),
    ),
    replaceRow,
  )
  field.placeholder = words('editor.find.text')
  other.placeholder = words('editor.find.with')
  bar.hidden = true
  root.prepend(bar)

  editor.registerPlugin(
    new Plugin<DecorationSet>({
      key: findKey,
      state: {
        init: () => DecorationSet.empty,
        apply: (tr, before) => (tr.getMeta(findKey) as DecorationSet | undefined) ?? (tr.docChanged ? before.map(tr.mapping, tr.doc) : before),
      },
      props: { decorations: (state) => findKey.getState(state) },
      view: () => ({
        update: (view, before) => {
          if (isOpen && view.state.doc !== before.doc && frame === 0) frame = requestAnimationFrame(look)
        },
      }),
    }),
  )

  const look = () => {
    frame = 0
    if (editor.isDestroyed) return
    const at = matches[current]?.from ?? editor.state.selection.from
    matches = search(editor.state.doc)
    current = nextFrom(matches, at)
    draw()
  }

  const draw = () => {
    const from = Math.max(0, current - DRAWN)
    const drawn = matches.slice(from, current + DRAWN).map((match, index) =>
      Decoration.inline(match.from, match.to, { class: from + index === current ? 'found is-current' : 'found' }),
    )
    const { tr, doc } = editor.state
    editor.view.dispatch(tr.setMeta(findKey, DecorationSet.create(doc, isOpen ? drawn : [])).setMeta('addToHistory', false))
    const isEmpty = field.value === ''
    count.textContent = isEmpty ? '' : matches.length === 0 ? words('editor.find.none') : words('editor.find.count', { at: current + 1, n: matches.length })
    field.setAttribute('aria-invalid', String(!isEmpty && matches.length === 0))
  }

  const restart = () => {
    search = searcher({ text: field.value, caseSensitive: isOn(caseSensitive), wholeWord: isOn(wholeWord) })
    matches = search(editor.state.doc)
    current = nextFrom(matches, editor.state.selection.from)
    draw()
    show()
  }

  /** Brings the current match into view; the focus stays in the bar. */
  const show = () => {
    const match = matches[current]
    if (match === undefined) return
    const { tr, doc } = editor.state
    editor.view.dispatch(tr.setSelection(TextSelection.create(doc, match.from, match.to)))
    const { node } = editor.view.domAtPos(match.from)
    const element = node instanceof HTMLElement ? node : node.parentElement
    const rect = element?.getBoundingClientRect()
    const { top, bottom } = covered()
    if (rect !== undefined && (rect.top < top + 60 || rect.bottom > window.innerHeight - bottom)) element?.scrollIntoView({ block: 'center' })
  }

  const go = (step: 1 | -1) => {
    if (matches.length === 0) return
    current = (current + step + matches.length) % matches.length
    draw()
    show()
  }

  const replace = () => {
    const match = matches[current]
    if (match === undefined || !editor.isEditable) return
    binding.separate()
    editor.view.dispatch(replacement([match]))
    binding.separate()
    cancelAnimationFrame(frame)
    frame = 0
    matches = search(editor.state.doc)
    current = nextFrom(matches, match.from + other.value.length)
    draw()
    show()
  }

  const replaceAll = () => {
    if (matches.length === 0 || !editor.isEditable) return
    const done = matches.length
    binding.separate()
    editor.view.dispatch(replacement(matches))
    binding.separate()
    cancelAnimationFrame(frame)
    look()
    count.textContent = words('editor.find.replaced', { n: done })
  }

  const replacement = (which: readonly Match[]) => {
    const { tr, schema, doc } = editor.state
    for (const { from, to } of [...which].reverse()) {
      if (other.value === '') tr.delete(from, to)
      else tr.replaceWith(from, to, schema.text(other.value, doc.resolve(from).marksAcross(doc.resolve(to)) ?? []))
    }
    return tr
  }

  const close = () => {
    isOpen = false
    bar.hidden = true
    matches = []
    draw()
    editor.view.focus()
  }

  field.addEventListener('input', restart)
  bar.addEventListener('keydown', (event) => {
    if (event.key === 'Escape') {
      event.preventDefault()
      close()
    } else if (event.key === 'Enter' && event.target === field) {
      event.preventDefault()
      go(event.shiftKey ? -1 : 1)
    } else if (event.key === 'Enter' && event.target === other) {
      event.preventDefault()
      replace()
    } else if ((event.ctrlKey || event.metaKey) && event.key === 'f') {
      event.preventDefault()
      field.select()
    }
  })

  return {
    open(withReplace) {
      isOpen = true
      bar.hidden = false
      bar.style.top = `${covered().top}px`
      replaceRow.hidden = !editor.isEditable || (!withReplace && replaceRow.hidden && bar.dataset['seen'] === 'true')
      bar.dataset['seen'] = 'true'
      const { selection, doc } = editor.state
      const selected = selection.empty ? '' : doc.textBetween(selection.from, Math.min(selection.to, selection.from + 200), ' ')
      if (selected !== '' && selection.to - selection.from < 100) field.value = selected
      restart()
      field.focus()
      field.select()
    },
    destroy() {
      isOpen = false
      cancelAnimationFrame(frame)
      if (!editor.isDestroyed) editor.unregisterPlugin(findKey)
      bar.remove()
    },
  }
}
