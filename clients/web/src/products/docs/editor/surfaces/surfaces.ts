// The editor's floating surfaces, together.
import type { Editor } from '@tiptap/core'
import { Plugin, PluginKey } from '@tiptap/pm/state'
import type { Binding } from '../binding/binding'
import { LANGUAGES } from '../code/languages'
import type { Uploads } from '../images/uploads'
import { pasting } from '../paste/paste'
import type { EditorCommands, EditorEvent, Person, Words } from '../types'
import { bubble } from './bubble'
import { make } from './dom'
import { linkPopover, openLink } from './link'
import { listbox, type Option } from './listbox'
import { placeholder } from './placeholder'
import { popup } from './popup'
import { fold, slashOptions } from './slash'
import { suggest } from './suggest'

export interface SurfaceHooks {
  root: HTMLElement
  words: Words
  people: (query: string) => Promise<Person[]>
  commands: EditorCommands
  binding: Binding
  uploads: Uploads
  onEvent: (event: EditorEvent) => void
  comment: () => boolean
  covered: () => { top: number; bottom: number }
}

export interface Surfaces {
  plugins: Plugin[]
  attach(editor: Editor): void
  editLink(): boolean
  find(replace: boolean): boolean
  pickLanguage(button: HTMLElement, current: string | null, chosen: (language: string | null) => void): void
  close(): void
  translate(): void
  destroy(): void
}

export function surfaces(hooks: SurfaceHooks): Surfaces {
  const { root, words, commands, covered } = hooks
  let editor: Editor | null = null
  let bar: FindBar | null = null
  let isDestroyed = false

  const tools = bubble(hooks)
  const links = linkPopover(root, words, commands, covered)
  const slash = suggest({
    char: '/',
    root,
    words: 3,
    covered,
    label: () => words('editor.slash'),
    empty: () => words('editor.slash.none'),
    options: (query, _, replace) => slashOptions(query, words, commands, () => void replace()),
  })
  const mentions = suggest({
    char: '@',
    root,
    words: 3,
    covered,
    label: () => words('editor.mention'),
    empty: () => words('editor.mention.none'),
    options: async (query, view, replace) => {
      const found = await hooks.people(query).catch(() => [])
      return found.slice(0, 8).map((person) => ({
        label: person.name,
        ...(person.email === undefined ? {} : { hint: person.email }),
        mark: face(person),
        choose: () => {
          const { from } = replace()
          const { schema, tr } = view.state
          const node = schema.nodes['mention']!.create({ id: person.id, label: person.name })
          view.dispatch(tr.insert(from, [node, schema.text(' ')]).scrollIntoView())
          view.focus()
        },
      }))
    },
  })
  const languages = languageList(root, words, covered)

  const behaviour = new Plugin({
    key: new PluginKey('surfaces'),
    props: {
      handleKeyDown: (_, event) => event.altKey && event.key === 'F10' && tools.focus(),
      handleClick: (view, pos, event) => {
        // A plain click puts the cursor into the link; the browser must not follow it.
        const link = (event.target as HTMLElement | null)?.closest('a')
        if (link == null || !view.dom.contains(link)) return false
        event.preventDefault()
        if (view.editable && !event.ctrlKey && !event.metaKey) return false
        const mark = view.state.doc.nodeAt(pos)?.marks.find(({ type }) => type.name === 'link')
        openLink(String(mark?.attrs['href'] ?? link.getAttribute('href') ?? ''))
        return true
      },
      handleDOMEvents: {
        click: (_, event) => {
          if ((event.target as HTMLElement | null)?.closest('a') != null) event.preventDefault()
          return false
        },
      },
    },
  })

  return {
    plugins: [slash.plugin, mentions.plugin, behaviour, ...pasting({ ...hooks, editor: () => editor }), placeholder(words)],
    attach(now) {
      editor = now
      tools.attach(now)
    },
    editLink: () => editor !== null && (tools.close(), links.open(editor)),
    find(replace) {
      const now = editor
      if (now === null) return false
      if (bar !== null) bar.open(replace)
      else {
        void import('../find/bar').then(({ findBar }) => {
          if (isDestroyed || now.isDestroyed) return
          bar ??= findBar({ root, words, editor: now, binding: hooks.binding, covered })
          bar.open(replace)
        })
      }
      return true
    },
    pickLanguage: (button, current, chosen) => languages.open(button, current, chosen),
    close() {
      tools.close()
      links.close()
      slash.close()
      mentions.close()
      languages.close()
    },
    translate() {
      this.close()
      bar?.destroy()
      bar = null
      if (editor !== null) editor.view.dispatch(editor.state.tr.setMeta('translate', true))
    },
    destroy() {
      isDestroyed = true
      for (const surface of [tools, links, slash, mentions, languages]) surface.destroy()
      bar?.destroy()
    },
  }
}

interface FindBar {
  open(replace: boolean): void
  destroy(): void
}

function face({ name, color }: Person): HTMLElement {
  const dom = make('span', { class: 'doc-face', 'aria-hidden': 'true' }, [...name.trim()][0]?.toUpperCase() ?? '?')
  if (color !== undefined && /^#[0-9a-f]{6}$/i.test(color)) dom.style.setProperty('--person', color)
  return dom
}

/** The list of languages of a code block, with a field to narrow it. */
function languageList(root: HTMLElement, words: Words, covered: () => { top: number; bottom: number }) {
  const box = make('div', { class: 'doc-languages' })
  const field = make('input', { class: 'doc-field', type: 'text', role: 'combobox', 'aria-autocomplete': 'list', 'aria-expanded': 'true' })
  const list = listbox(() => field, words('editor.code.languages'))
  box.append(field, list.dom)
  let back: HTMLElement | null = null
  const float = popup({ root, dom: box, covered, closed: () => list.destroy() })
  let fill: () => void = () => undefined
  field.addEventListener('input', () => fill())
  field.addEventListener('keydown', (event) => {
    if (event.key === 'Escape') {
      event.preventDefault()
      float.close()
      back?.focus()
    } else list.key(event)
  })
  field.addEventListener('blur', () => float.close())
  return {
    open(button: HTMLElement, current: string | null, chosen: (language: string | null) => void) {
      back = button
      field.value = ''
      field.placeholder = words('editor.code.languages')
      field.setAttribute('aria-label', words('editor.code.languages'))
      fill = () => {
        const wanted = fold(field.value)
        const all: Option[] = [{ id: null, name: words('editor.code.plain') }, ...LANGUAGES]
          .filter(({ name, id }) => fold(name).includes(wanted) || (id ?? '').includes(wanted))
          .map(({ id, name }) => ({
            label: name,
            ...(id === current ? { hint: '✓' } : {}),
            choose: () => {
              float.close()
              chosen(id)
            },
          }))
        list.show(all, words('editor.code.none'))
      }
      fill()
      float.open(() => button.getBoundingClientRect())
      field.focus()
    },
    close: () => float.close(),
    destroy: () => float.destroy(),
  }
}
