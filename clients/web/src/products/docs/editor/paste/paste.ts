// What happens when something is pasted or dropped.
import type { Editor } from '@tiptap/core'
import { DOMParser as SchemaParser, Fragment, Slice } from '@tiptap/pm/model'
import { Plugin, PluginKey, TextSelection } from '@tiptap/pm/state'
import type { EditorView } from '@tiptap/pm/view'
import type { Binding } from '../binding/binding'
import { fitted } from '../content/bounds'
import { IMAGE_TYPES, type Uploads } from '../images/uploads'
import { soleLink } from '../schema/links'
import type { EditorEvent, Words } from '../types'
import { cleanHtml, inertBody, inlineImages } from './clean'
import { looksLikeMarkdown } from './looks'

/** In characters. Twice a long novel; more would stop the page for seconds, and be refused by the server. */
const MOST_TEXT = 2_000_000
const MOST_HTML = 8_000_000
/** Of one paste. */
const MOST_BLOCKS = 20_000

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
        handlePaste: (view, event, slice) => {
          const wasPlain = isPlain
          isPlain = false
          const data = event.clipboardData
          if (data === null || !view.editable) return false
          if (hasTooMany(slice, hooks)) return true
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
        handleDrop: (view, event, slice, moved) => {
          const data = event.dataTransfer
          if (moved || data === null || !view.editable) return false
          if (hasTooMany(slice, hooks)) return true
          const files = imagesIn(data, data.getData('text/html'))
          const place = view.posAtCoords({ left: event.clientX, top: event.clientY })
          if (files.length === 0) return false
          // Whatever it is: a browser that is left to itself would leave the page and show the file.
          event.preventDefault()
          return hooks.uploads.send(files, place?.pos)
        },
        transformPastedHTML: (html) => cleanHtml(html),
        transformPasted: (slice) => fitted(slice),
      },
    }),
  ]
}

function refuseLarge(event: Event, data: DataTransfer | null, { words, onEvent }: PasteHooks): boolean {
  if (data === null) return false
  const html = data.getData('text/html').length
  const text = data.getData('text/plain').length
  if (text <= MOST_TEXT && html <= MOST_HTML) {
    if (html > 0 ? !hasTooManyTags(data.getData('text/html')) : !hasTooManyLines(data.getData('text/plain'))) return false
    event.preventDefault()
    onEvent({ type: 'refused', reason: 'paste-too-large', message: words('editor.paste.blocks', { n: MOST_BLOCKS }) })
    return true
  }
  event.preventDefault()
  const million = (Math.max(text, html / 4) / 1e6).toFixed(0)
  onEvent({ type: 'refused', reason: 'paste-too-large', message: words('editor.paste.large', { n: million, most: MOST_TEXT / 1e6 }) })
  return true
}

/** What is surely too much, found without reading it: each cell and item has a paragraph of its own. */
function hasTooManyTags(html: string): boolean {
  return count(html, /<(?:p|li|t[drh]|h[1-6]|div|blockquote|pre|br)\b/gi, 3 * MOST_BLOCKS)
}

function hasTooManyLines(text: string): boolean {
  return count(text, /[\r\n]+/g, MOST_BLOCKS)
}

function count(text: string, what: RegExp, most: number): boolean {
  let found = 0
  while (found <= most && what.test(text)) found += 1
  return found > most
}

function hasTooMany(slice: Slice, { words, onEvent }: PasteHooks): boolean {
  let blocks = 0
  slice.content.descendants((node) => {
    if (node.isBlock) blocks += 1
    return !node.isTextblock && blocks <= MOST_BLOCKS
  })
  if (blocks <= MOST_BLOCKS) return false
  onEvent({ type: 'refused', reason: 'paste-too-large', message: words('editor.paste.blocks', { n: MOST_BLOCKS }) })
  return true
}

/**
 * Files, unless there is text beside them: spreadsheets and Word send a picture of what they send.
 * Those that are no images come too: somebody has to be told that they cannot be shown.
 */
function imagesIn(data: DataTransfer, html: string): File[] {
  const files = [...data.files]
  if (files.length === 0 || (!files.some(({ type }) => IMAGE_TYPES.has(type)) && data.getData('text/plain') !== '')) return []
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
  const { schema } = view.state
  const lines = text.split(/(?:\r\n?|\n)+/).map((line) => schema.node('paragraph', null, line === '' ? [] : schema.text(line)))
  const tr = view.state.tr.replaceSelection(fitted(new Slice(Fragment.fromArray(lines), 1, 1)))
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
    const slice = fitted(SchemaParser.fromSchema(schema).parseSlice(body))
    binding.separate()
    const change = view.state.tr.replaceRange(now.from, now.to, slice)
    view.dispatch(change.setMeta('paste', true).scrollIntoView())
    binding.separate()
  })
  return true
}
