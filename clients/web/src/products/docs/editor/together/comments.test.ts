// @vitest-environment jsdom
// What the text tells of the comments on it, and what a click on one does.
import { EditorState } from '@tiptap/pm/state'
import { EditorView } from '@tiptap/pm/view'
import { afterEach, expect, test, vi } from 'vitest'
import * as Y from 'yjs'
import { anchorAt } from '../../comments/anchors/anchor'
import { Binding } from '../binding/binding'
import { contentSchema } from '../binding/headless'
import type { CommentMark } from '../types'
import { comments } from './comments'

const schema = contentSchema()
const views: EditorView[] = []

afterEach(() => {
  for (const view of views.splice(0)) view.destroy()
  vi.useRealTimers()
})

function shown(text: string, from: number, to: number) {
  const doc = new Y.Doc()
  const paragraph = new Y.XmlElement('paragraph')
  const inside = new Y.XmlText()
  inside.insert(0, text)
  paragraph.setAttribute('id', 'first')
  paragraph.insert(0, [inside])
  const fragment = doc.getXmlFragment('default')
  fragment.insert(0, [paragraph])
  const binding = new Binding(fragment, schema, { foreign: (error) => { throw error } })
  const clicked: (string | null)[] = []
  const of = comments(binding, { clicked: (id) => clicked.push(id), placed: () => undefined })
  const view = new EditorView(document.createElement('div'), {
    state: EditorState.create({ doc: binding.document, schema, plugins: [binding.plugin(), ...of.plugins] }),
  })
  views.push(view)
  const anchor = anchorAt(fragment, view.state.doc, from, to)
  if (anchor === null) throw new Error('nothing is between the two')
  const mark: CommentMark = { id: 'c', anchor }
  of.set(view, [mark])
  const click = (pos: number): void => { view.someProp('handleClick', (handle) => handle.call(undefined as never, view, pos, new MouseEvent('click'))) }
  return { view, of, anchor, clicked, click }
}

test('a click on a comment is told once the editor has put the caret where the click was', () => {
  vi.useFakeTimers()
  const { clicked, click } = shown('The quick brown fox', 5, 10)
  click(6)
  // Whoever is told draws the comment anew, and with it the text that the browser has its caret in.
  expect(clicked).toEqual([])
  vi.runAllTimers()
  expect(clicked).toEqual(['c'])
})

test('a click that an editor did not live to see is told to nobody', () => {
  vi.useFakeTimers()
  const { clicked, click } = shown('The quick brown fox', 5, 10)
  click(6)
  for (const view of views.splice(0)) view.destroy()
  vi.runAllTimers()
  expect(clicked).toEqual([])
})

test('a quote begins with the first letter of what is commented on, at the start of a block as within it', () => {
  expect(shown('The quick brown fox', 1, 20).anchor.quote.text).toBe('The quick brown fox')
  expect(shown('The quick brown fox', 0, 20).anchor.quote.text).toBe('The quick brown fox')
  expect(shown('The quick brown fox', 5, 10).anchor.quote).toEqual({ text: 'quick', prefix: 'The ', suffix: ' brown fox' })
})

test('a comment that was torn apart is drawn at both places', () => {
  const { view } = shown('The quick brown fox', 5, 16)
  view.dispatch(view.state.tr.split(10))
  const { tr } = view.state
  const second = view.state.doc.child(1)
  view.dispatch(tr.delete(view.state.doc.child(0).nodeSize, view.state.doc.content.size).insert(0, [second, schema.nodes['paragraph']!.create(null, schema.text('a sentence of more than twenty-four letters'))]))
  expect(Array.from(view.dom.querySelectorAll('.comment'), (element) => element.textContent)).toEqual([' brown', 'quick'])
})
