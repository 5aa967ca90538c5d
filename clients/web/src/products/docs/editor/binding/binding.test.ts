import { Fragment, type Node } from '@tiptap/pm/model'
import { TextSelection } from '@tiptap/pm/state'
import { yXmlFragmentToProseMirrorRootNode, prosemirrorToYXmlFragment } from '@tiptap/y-tiptap'
import { expect, test, vi } from 'vitest'
import * as Y from 'yjs'
import { Foreign } from './foreign'
import { contentSchema, Headless } from './headless'
import { readDocument } from './read'

const schema = contentSchema()
const p = (text: string, attrs: Record<string, unknown> | null = null) =>
  schema.nodes['paragraph']!.create(attrs, text === '' ? [] : [schema.text(text)])

function documentOf(...blocks: Node[]): Y.Doc {
  const doc = new Y.Doc()
  prosemirrorToYXmlFragment(schema.topNodeType.create(null, blocks), doc.getXmlFragment('default'))
  return doc
}

/** Two editors, each with its copy; what one changes is kept until `meet`. */
function two(...blocks: Node[]): { a: Headless; b: Headless; meet: () => void } {
  const first = documentOf(...blocks)
  const second = new Y.Doc()
  Y.applyUpdate(second, Y.encodeStateAsUpdate(first))
  const a = new Headless(first, schema)
  const b = new Headless(second, schema)
  const meet = () => {
    Y.applyUpdate(second, Y.encodeStateAsUpdate(first, Y.encodeStateVector(second)))
    Y.applyUpdate(first, Y.encodeStateAsUpdate(second, Y.encodeStateVector(first)))
  }
  return { a, b, meet }
}

/** Every text that an update of `doc` would bring to others, as they would read it. */
function sent(doc: Y.Doc): string[] {
  const { structs } = Y.decodeUpdate(Y.encodeStateAsUpdate(doc))
  return structs.flatMap((struct) => (struct instanceof Y.Item && struct.content instanceof Y.ContentString ? [struct.content.str] : []))
}

function stored(editor: Headless): Node {
  return readDocument(editor.binding.fragment, schema, new WeakMap())
}

test('what is typed is stored, in the form that y-tiptap reads', () => {
  const editor = new Headless(documentOf(p('hello')), schema)
  editor.dispatch(editor.state.tr.insertText(' world', 6))
  expect(stored(editor).eq(editor.text)).toBe(true)
  expect(yXmlFragmentToProseMirrorRootNode(editor.binding.fragment, schema).eq(editor.text)).toBe(true)
})

test('a letter typed among equal letters goes where the cursor was', () => {
  const { a, b, meet } = two(p('aaaa'))
  // A types after the second a, B before the last.
  a.dispatch(a.state.tr.setSelection(TextSelection.create(a.text, 3)).insertText('a'))
  b.dispatch(b.state.tr.insertText('-', 4))
  meet()
  expect(a.text.textContent).toBe('aaaa-a')
  expect(b.text.textContent).toBe('aaaa-a')
})

test('a split keeps the first half as it is and makes the second anew', () => {
  const editor = new Headless(documentOf(p('one two', { id: 'x' })), schema)
  const first = editor.binding.fragment.get(0)
  editor.dispatch(editor.state.tr.split(5))
  expect(editor.binding.fragment.get(0)).toBe(first)
  expect(stored(editor).eq(editor.text)).toBe(true)
})

test('what two people type into an empty block at once, and go on typing, is all there', () => {
  const { a, b, meet } = two(p(''))
  a.dispatch(a.state.tr.insertText('A', 1))
  b.dispatch(b.state.tr.insertText('B', 1))
  meet()
  const letters = a.text.textContent
  expect([...letters].sort().join('')).toBe('AB')
  a.dispatch(a.state.tr.insertText('a', 1 + letters.indexOf('A') + 1))
  b.dispatch(b.state.tr.insertText('b', 1 + letters.indexOf('B') + 1))
  meet()
  expect(a.text.eq(b.text)).toBe(true)
  expect([...a.text.textContent].sort().join('')).toBe('ABab')
  expect(stored(a).eq(a.text)).toBe(true)
})

test('half of a surrogate pair is never sent', () => {
  const { a, b, meet } = two(p('x🙂y'))
  const from = 2
  a.dispatch(a.state.tr.insertText('🙃', from, from + 2))
  meet()
  expect(b.text.textContent).toBe('x🙃y')
  expect(sent(a.doc).join('|')).toContain('🙃')
  for (const string of sent(a.doc)) expect(string).not.toContain('\ufffd')
})

test('marks of one person and letters of the other are both kept', () => {
  const { a, b, meet } = two(p('hello world'))
  a.dispatch(a.state.tr.addMark(1, 6, schema.marks['bold']!.create()))
  b.dispatch(b.state.tr.insertText('!', 12))
  meet()
  expect(a.text.eq(b.text)).toBe(true)
  expect(a.text.textContent).toBe('hello world!')
  expect(a.text.firstChild!.firstChild!.marks.map((mark) => mark.type.name)).toEqual(['bold'])
})

test('line breaks and mentions inside a text are stored between its parts', () => {
  const editor = new Headless(documentOf(p('hello world')), schema)
  const mention = schema.nodes['mention']!.create({ id: 'u1', label: 'Ada' })
  editor.dispatch(editor.state.tr.insert(6, Fragment.from([schema.nodes['hardBreak']!.create(), mention])))
  expect(stored(editor).eq(editor.text)).toBe(true)
  editor.dispatch(editor.state.tr.delete(6, 7))
  editor.dispatch(editor.state.tr.insertText('?', 6))
  expect(stored(editor).eq(editor.text)).toBe(true)
  editor.dispatch(editor.state.tr.delete(6, 8))
  expect(stored(editor).eq(editor.text)).toBe(true)
  expect(editor.text.textContent).toBe('hello world')
})

test('others’ changes leave every other block the same object', () => {
  const { a, b, meet } = two(p('one'), p('two'), p('three'))
  const [first, , third] = [a.text.child(0), a.text.child(1), a.text.child(2)]
  b.dispatch(b.state.tr.insertText('!', 9))
  meet()
  expect(a.text.child(0)).toBe(first)
  expect(a.text.child(2)).toBe(third)
  expect(a.text.child(1).textContent).toBe('two!')
})

test('the cursor stays behind what stood before it while others type', () => {
  const { a, b, meet } = two(p('aab'))
  a.dispatch(a.state.tr.setSelection(TextSelection.create(a.text, 3)))
  b.dispatch(b.state.tr.setSelection(TextSelection.create(b.text, 1)).insertText('a'))
  meet()
  expect(a.state.selection.head).toBe(4)
  b.dispatch(b.state.tr.setSelection(TextSelection.create(b.text, 4)).insertText('x'))
  meet()
  expect(a.text.textContent).toBe('aaaxb')
  expect(a.state.selection.head).toBe(4)
})

test('undo takes back one’s own changes and nobody else’s', () => {
  const { a, b, meet } = two(p('one'), p('two'))
  a.dispatch(a.state.tr.insertText('A', 4))
  meet()
  b.dispatch(b.state.tr.insertText('B', 10))
  meet()
  expect(a.binding.undo()).toBe(true)
  meet()
  expect(a.text.eq(b.text)).toBe(true)
  expect(a.text.textContent).toBe('onetwoB')
  expect(a.binding.redo()).toBe(true)
  expect(a.text.textContent).toBe('oneAtwoB')
})

test('undoing the first letter of a block keeps what others were writing beside it', () => {
  const { a, b, meet } = two(p(''))
  a.dispatch(a.state.tr.insertText('A', 1))
  meet()
  b.dispatch(b.state.tr.insertText('B', 2))
  a.binding.undo()
  meet()
  expect(a.text.textContent).toBe('B')
  expect(b.text.textContent).toBe('B')
})

test('undoing a block that somebody else wrote in keeps what they wrote', () => {
  const { a, b, meet } = two(p('one', { id: '1' }))
  a.dispatch(a.state.tr.insert(5, p('mine', { id: '2' })))
  meet()
  b.dispatch(b.state.tr.insertText(' and theirs', 10))
  meet()
  a.binding.undo()
  meet()
  expect(a.text.eq(b.text)).toBe(true)
  expect(a.text.textContent).toBe('one and theirs')
})

test('an unknown node halts the editor before anything is written, and nothing is lost', async () => {
  const { a, b, meet } = two(p('known'))
  const callout = new Y.XmlElement('callout_v2')
  callout.insert(0, [new Y.XmlText('dear to somebody')])
  b.doc.transact(() => b.binding.fragment.insert(1, [callout]), 'another version')
  meet()
  await Promise.resolve()
  expect(a.foreign).toBeInstanceOf(Foreign)
  expect(a.foreign).toMatchObject({ what: 'node', found: 'callout_v2' })
  a.dispatch(a.state.tr.insertText('lost?', 1))
  expect(a.text.textContent).toBe('known')
  meet()
  expect(a.binding.fragment.length).toBe(2)
  expect(b.binding.fragment.toString()).toContain('dear to somebody')
})

test('a change that would not fit the schema is not made', () => {
  const said = vi.spyOn(console, 'error').mockImplementation(() => undefined)
  const editor = new Headless(documentOf(p('one')), schema)
  // Built unchecked, as prosemirror-tables does.
  const row = schema.nodes['tableRow']!.create(null, schema.nodes['tableRow']!.create())
  editor.dispatch(editor.state.tr.insert(5, schema.nodes['table']!.create(null, row)))
  expect(editor.text.toString()).toBe('doc(paragraph("one"))')
  expect(said).toHaveBeenCalledOnce()
  said.mockRestore()
})

test.each([
  ['node', (fragment: Y.XmlFragment) => fragment.insert(0, [new Y.XmlElement('callout')]), 'callout'],
  ['node', (fragment: Y.XmlFragment) => fragment.insert(0, [new Y.XmlHook('h') as never]), 'YXmlHook'],
  ['mark', (fragment: Y.XmlFragment) => (fragment.get(0) as Y.XmlElement).insert(0, [text('x', { glow: {} })]), 'glow'],
  ['attribute', (fragment: Y.XmlFragment) => (fragment.get(0) as Y.XmlElement).setAttribute('color', 'red'), 'paragraph.color'],
  ['attribute', (fragment: Y.XmlFragment) => fragment.insert(0, [element('heading', { level: 'x' })]), 'heading.level'],
  ['attribute', (fragment: Y.XmlFragment) => (fragment.get(0) as Y.XmlElement).insert(0, [text('x', { link: { href: 'https://a', rel: 1 } })]), 'link.rel'],
  ['content', (fragment: Y.XmlFragment) => fragment.insert(0, [text('bare', {})]), 'doc'],
  ['content', (fragment: Y.XmlFragment) => fragment.insert(0, [element('listItem')]), 'doc'],
  ['content', (fragment: Y.XmlFragment) => (fragment.get(0) as Y.XmlElement).insert(0, [element('paragraph')]), 'paragraph'],
] as const)('a foreign %s is found at the start and left alone (%#)', (what, spoil, found) => {
  const doc = documentOf(p('fine'))
  doc.transact(() => void spoil(doc.getXmlFragment('default')))
  const before = Y.encodeStateAsUpdate(doc)
  expect(() => new Headless(doc, schema)).toThrowError(expect.objectContaining({ what, found }) as Error)
  expect(Y.encodeStateAsUpdate(doc)).toEqual(before)
})

function text(string: string, attributes: Record<string, unknown>): Y.XmlText {
  const made = new Y.XmlText()
  made.applyDelta([{ insert: string, attributes }])
  return made
}

function element(name: string, attributes: Record<string, unknown> = {}): Y.XmlElement {
  const made = new Y.XmlElement(name)
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value as string)
  return made
}
