// What happens when something is pasted or dropped.
import type { Editor } from '@tiptap/core'
import { DOMParser as SchemaParser } from '@tiptap/pm/model'
import { Plugin, PluginKey, TextSelection } from '@tiptap/pm/state'
import type { EditorView } from '@tiptap/pm/view'
import type { Binding } from '../binding/binding'
import { IMAGE_TYPES, type Uploads } from '../images/uploads'
import { soleLink } from '../schema/links'
import type { EditorEvent, Words } from '../types'
import { cleanHtml, inertBody, inlineImages } from './clean'
import { looksLikeMarkdown } from './looks'

/** In characters. Twice a long novel; more would stop the page for seconds, and be refused by the server. */
const MOST_TEXT = 2_000_000
const MOST_HTML = 8_000_000

export interface PasteHooks {
  words: Words
  binding: Binding
  uploads: Uploads
  onEvent: (event: EditorEvent) => void
  editor: () => Editor | null
}

export function pasting(hooks: PasteHooks): Plugin[] {
  let isPlain = false
  return [
    new Plugin({
      key: new PluginKey('paste'),
      props: {
        handleDOMEvents: {
          keydown: (_, event) => {
            isPlain = event.shiftKey && (event.ctrlKey || event.metaKey) && event.key.toLowerCase() === 'v'
            return false
          },
          // Before anybody looks at what is in it.
          paste: (view, event) => (view.editable ? refuseLarge(event, event.clipboardData, hooks) : false),
          drop: (view, event) => (view.editable ? refuseLarge(event, event.dataTransfer, hooks) : false),
        },
        handlePaste: (view, event) => {
          const wasPlain = isPlain
          isPlain = false
          const data = event.clipboardData
          if (data === null || !view.editable) return false
          const html = data.getData('text/html')
          const files = imagesIn(data, html)
          if (files.length > 0) return hooks.uploads.send(files)
          const text = data.getData('text/plain')
          if (view.state.selection.$from.parent.type.spec.code === true) return false
          if (linkSelection(view, text)) return true
          if (wasPlain) return false
          if (html.trim() === '') return text !== '' && looksLikeMarkdown(text) && pasteMarkdown(view, text, hooks.binding)
          const inside = inlineImages(html)
          // After the text is in: the images go behind it.
          if (inside.length > 0) queueMicrotask(() => void hooks.uploads.send(inside))
          return false
        },
        handleDrop: (view, event, _slice, moved) => {
          const data = event.dataTransfer
          if (moved || data === null || !view.editable) return false
          const files = imagesIn(data, data.getData('text/html'))
          const place = view.posAtCoords({ left: event.clientX, top: event.clientY })
          if (files.length === 0 || place === null) return false
          event.preventDefault()
          return hooks.uploads.send(files, place.pos)
        },
        transformPastedHTML: (html) => cleanHtml(html),
      },
    }),
  ]
}

function refuseLarge(event: Event, data: DataTransfer | null, { words, onEvent }: PasteHooks): boolean {
  if (data === null) return false
  const text = data.getData('text/plain').length
  const html = data.getData('text/html').length
  if (text <= MOST_TEXT && html <= MOST_HTML) return false
  event.preventDefault()
  const million = (Math.max(text, html / 4) / 1e6).toFixed(0)
  onEvent({ type: 'refused', reason: 'paste-too-large', message: words('editor.paste.large', { n: million, most: MOST_TEXT / 1e6 }) })
  return true
}

/** Image files, unless there is text beside them: spreadsheets and Word send a picture of what they send. */
function imagesIn(data: DataTransfer, html: string): File[] {
  const files = [...data.files].filter((file) => file.type.startsWith('image/') || IMAGE_TYPES.has(file.type))
  if (files.length === 0) return []
  const text = html === '' ? '' : (inertBody(html).textContent ?? '').trim()
  return text === '' ? files : []
}

/** An address pasted over a text becomes its link. */
function linkSelection(view: EditorView, text: string): boolean {
  const { selection, schema, tr } = view.state
  const href = soleLink(text)
  if (href === null) return false
  const link = schema.marks['link']!.create({ href })
  if (selection.empty || !(selection instanceof TextSelection)) {
    if (!selection.$from.parent.inlineContent) return false
    view.dispatch(tr.replaceSelectionWith(schema.text(text.trim(), [link]), false).scrollIntoView())
    return true
  }
  if (!selection.$from.sameParent(selection.$to)) return false
  view.dispatch(tr.addMark(selection.from, selection.to, link).scrollIntoView())
  return true
}

/** As plain text first and then as what it means, so that one undo gives the plain text back. */
function pasteMarkdown(view: EditorView, text: string, binding: Binding): boolean {
  binding.separate()
  const { from } = view.state.selection
  const parts = text.replace(/\r\n?/g, '\n').split(/\n+/)
  const { schema } = view.state
  const tr = view.state.tr.deleteSelection()
  tr.insertText(parts[0] ?? '')
  for (const part of parts.slice(1)) {
    tr.split(tr.selection.from)
    if (part !== '') tr.insertText(part)
  }
  view.dispatch(tr.setMeta('paste', true).scrollIntoView())
  const until = view.state.selection.from
  const pasted = view.state.doc.textBetween(from, until, '\n')
  // Others may write meanwhile.
  const start = binding.relative(from, 0)
  const end = binding.relative(until, -1)
  void import('./markdown').then(({ markdownToHtml }) => {
    if (view.isDestroyed || start === null || end === null) return
    const now = { from: binding.absolute(start), to: binding.absolute(end) }
    // Somebody changed it: the plain text stays.
    if (now.from === null || now.to === null || now.from > now.to || view.state.doc.textBetween(now.from, now.to, '\n') !== pasted) return
    const body = new DOMParser().parseFromString(markdownToHtml(text), 'text/html').body
    const slice = SchemaParser.fromSchema(schema).parseSlice(body)
    binding.separate()
    const change = view.state.tr.replaceRange(now.from, now.to, slice)
    view.dispatch(change.setMeta('paste', true).scrollIntoView())
    binding.separate()
  })
  return true
}
