import { liftListItem, wrapInList } from '@tiptap/pm/schema-list'
import { AllSelection, TextSelection } from '@tiptap/pm/state'
import { deleteRow } from '@tiptap/pm/tables'
import { expect, test } from 'vitest'
import * as Y from 'yjs'
import { Headless, contentSchema } from '../binding/headless'
import { filling } from './fill'
import { blockIds, newId } from './ids'
import { repairIds } from './repair'
import { countCharacters, countWords, repeatedIds, survey } from './survey'

const schema = contentSchema()

function editorOf(...names: string[]): Headless {
  const doc = new Y.Doc()
  const blocks = names.map((name, index) => {
    const element = new Y.XmlElement(name)
    element.setAttribute('id', `b${index}`)
    return element
  })
  doc.getXmlFragment('default').insert(0, blocks)
  return new Headless(doc, schema, [filling(), blockIds()])
}

const ids = (editor: Headless) => editor.text.content.content.map((node) => node.attrs['id'] as unknown)

test('an id is 16 letters and digits', () => {
  expect(newId()).toMatch(/^[A-Za-z0-9]{16}$/)
  expect(new Set(Array.from({ length: 1000 }, newId)).size).toBe(1000)
})

test('after a split the first half keeps the id, unless it is empty', () => {
  const editor = editorOf('paragraph')
  editor.dispatch(editor.state.tr.insertText('one two', 1))
  editor.dispatch(editor.state.tr.split(5))
  expect(ids(editor)[0]).toBe('b0')
  expect(ids(editor)[1]).toMatch(/^\w{16}$/)
  editor.dispatch(editor.state.tr.split(1))
  expect(ids(editor)[1]).toBe('b0')
  expect(new Set(ids(editor)).size).toBe(3)
})

test('a copy gets an id of its own, wherever it is put', () => {
  const editor = editorOf('paragraph')
  editor.dispatch(editor.state.tr.insertText('one', 1))
  editor.dispatch(editor.state.tr.insert(0, editor.text.child(0)))
  expect(ids(editor)[1]).toBe('b0')
  expect(ids(editor)[0]).not.toBe('b0')
})

test('others’ blocks without an id are left alone until the person changes them', () => {
  const editor = editorOf('paragraph')
  editor.doc.transact(() => editor.binding.fragment.insert(1, [new Y.XmlElement('paragraph')]), 'others')
  expect(ids(editor)).toEqual(['b0', null])
  editor.dispatch(editor.state.tr.insertText('x', 3))
  expect(ids(editor)[1]).toMatch(/^\w{16}$/)
})

test('a document emptied here gets a line to type into, one emptied by others does not', () => {
  const editor = editorOf('paragraph', 'heading')
  editor.dispatch(editor.state.tr.setSelection(new AllSelection(editor.text)).deleteSelection())
  expect(editor.text.toString()).toBe('doc(paragraph)')
  editor.doc.transact(() => editor.binding.fragment.delete(0, 1), 'others')
  expect(editor.text.toString()).toBe('doc')
  expect(editor.binding.fragment.length).toBe(0)
})

test('lists and tables without items are taken away', () => {
  const editor = editorOf('paragraph')
  wrapInList(schema.nodes['bulletList']!)(editor.state, (tr) => editor.dispatch(tr))
  expect(editor.text.toString()).toBe('doc(bulletList(listItem(paragraph)))')
  editor.dispatch(editor.state.tr.delete(1, 5))
  expect(editor.text.toString()).toBe('doc(paragraph)')
  const cell = schema.nodes['tableCell']!.create()
  editor.dispatch(editor.state.tr.insert(2, schema.nodes['table']!.create(null, [schema.nodes['tableRow']!.create(null, cell)])))
  expect(editor.text.toString()).toBe('doc(paragraph, table(tableRow(tableCell(paragraph))))')
  editor.dispatch(editor.state.tr.setSelection(TextSelection.create(editor.text, 6)))
  deleteRow(editor.state, (tr) => editor.dispatch(tr))
  editor.dispatch(editor.state.tr.delete(3, 9))
  expect(editor.text.toString()).toBe('doc(paragraph)')
})

test('the same id in two blocks is repaired by everybody in the same way', () => {
  const one = editorOf('paragraph')
  const doc = new Y.Doc()
  Y.applyUpdate(doc, Y.encodeStateAsUpdate(one.doc))
  const other = new Headless(doc, schema, [filling(), blockIds()])
  const copy = () => {
    const element = new Y.XmlElement('paragraph')
    element.setAttribute('id', 'b0')
    return element
  }
  // Two people moved the block at once.
  one.doc.transact(() => one.binding.fragment.insert(1, [copy()]), 'others')
  other.doc.transact(() => other.binding.fragment.insert(1, [copy()]), 'others')
  const meet = () => {
    Y.applyUpdate(other.doc, Y.encodeStateAsUpdate(one.doc))
    Y.applyUpdate(one.doc, Y.encodeStateAsUpdate(other.doc))
  }
  meet()
  expect(repeatedIds(one.text)).toEqual(new Set(['b0']))
  expect(repairIds(one.binding)).toBe(2)
  expect(repairIds(other.binding)).toBe(2)
  expect(ids(one)).toEqual(ids(other))
  meet()
  expect(ids(one)).toEqual(ids(other))
  expect(new Set(ids(one)).size).toBe(3)
  expect(ids(one)).toContain('b0')
  expect(one.binding.undo()).toBe(false)
})

test.each([
  ['', 0],
  ['one', 1],
  ['It’s well-known, isn’t it?', 4],
  ['3.5 million; 10,000', 3],
  ['  spaces   everywhere ', 2],
  ['Überraschung à côté', 3],
  ['東京は日本の首都です', 6],
])('%j has %i words', (text, words) => {
  expect(Math.abs(countWords(text) - words)).toBeLessThanOrEqual(words === 6 ? 2 : 0)
})

test('characters are counted as code points', () => {
  expect(countCharacters('a🙂é')).toBe(3)
})

test('a survey counts everything once and keeps the order of headings', () => {
  const editor = editorOf('heading', 'paragraph')
  editor.dispatch(editor.state.tr.insertText('The sea', 1))
  editor.dispatch(editor.state.tr.insertText('is calm today', editor.text.child(0).nodeSize + 1))
  expect(survey(editor.text)).toEqual({ words: 5, characters: 20, headings: [{ id: 'b0', level: 1, text: 'The sea' }] })
})

test('a list item is lifted out without losing its line', () => {
  const editor = editorOf('paragraph')
  editor.dispatch(editor.state.tr.insertText('x', 1))
  wrapInList(schema.nodes['orderedList']!)(editor.state, (tr) => editor.dispatch(tr))
  liftListItem(schema.nodes['listItem']!)(editor.state, (tr) => editor.dispatch(tr))
  expect(editor.text.toString()).toBe('doc(paragraph("x"))')
})
