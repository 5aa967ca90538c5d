import { afterEach, expect, test, vi } from 'vitest'
import { Awareness } from 'y-protocols/awareness'
import * as Y from 'yjs'
import { createEditor } from './index'
import english from './messages/en'
import type { EditorEvent, EditorHandle, EditorOptions } from './types'

const opened: EditorHandle[] = []

afterEach(() => {
  for (const editor of opened.splice(0)) editor.destroy()
})

function blank(): Y.Doc {
  const doc = new Y.Doc()
  const paragraph = new Y.XmlElement('paragraph')
  paragraph.setAttribute('id', 'first')
  doc.getXmlFragment('default').insert(0, [paragraph])
  return doc
}

function open(doc = blank(), more: Partial<EditorOptions> = {}): { editor: EditorHandle; events: EditorEvent[]; doc: Y.Doc } {
  const events: EditorEvent[] = []
  const element = document.createElement('div')
  document.body.append(element)
  const editor = createEditor({
    element,
    doc,
    awareness: new Awareness(doc),
    user: { id: 'u1', name: 'Ada', color: '#336699' },
    editable: true,
    words: (key) => {
      expect(english).toHaveProperty([key])
      return key
    },
    upload: () => Promise.reject(new Error('none')),
    image: () => Promise.reject(new Error('none')),
    people: () => Promise.resolve([]),
    onEvent: (event) => events.push(event),
    ...more,
  })
  opened.push(editor)
  return { editor, events, doc }
}

const xml = (doc: Y.Doc) => doc.getXmlFragment('default').toString()

test('commands change the shared document', () => {
  const { editor, doc } = open()
  expect(editor.commands.heading(2)).toBe(true)
  expect(xml(doc)).toContain('<heading id="first" level="2"')
  expect(editor.commands.insertTable(2, 2)).toBe(true)
  expect(xml(doc)).toContain('<tablecell')
  expect(editor.commands.undo()).toBe(true)
  expect(xml(doc)).not.toContain('table')
})

test('every block that is made has an id of its own', () => {
  const { editor, doc } = open()
  editor.commands.insertTable(2, 3)
  editor.commands.list('taskList')
  const ids = [...xml(doc).matchAll(/ id="([^"]*)"/g)].map(([, id]) => id)
  expect(ids.length).toBeGreaterThan(15)
  expect(new Set(ids).size).toBe(ids.length)
})

test('whoever may not write changes nothing', () => {
  const { editor, doc } = open(blank(), { editable: false })
  const before = xml(doc)
  expect(editor.commands.heading(1)).toBe(false)
  expect(editor.commands.insertTable()).toBe(false)
  expect(xml(doc)).toBe(before)
  editor.setEditable(true)
  expect(editor.commands.heading(1)).toBe(true)
})

test('an unsafe link is refused with clear words', () => {
  const { editor, doc, events } = open()
  expect(editor.commands.link('javascript:alert(1)')).toBe(false)
  expect(events).toContainEqual({ type: 'refused', reason: 'unsafe-link', message: 'editor.link.unsafe' })
  expect(xml(doc)).not.toContain('javascript')
  expect(editor.commands.link('example.org')).toBe(true)
  expect(editor.dom.querySelector('a')?.getAttribute('href')).toBe('https://example.org')
  expect(editor.dom.querySelector('a')?.rel).toContain('noopener')
})

test('an unsafe link that others wrote never becomes an address in the page', () => {
  const doc = blank()
  const text = new Y.XmlText()
  text.applyDelta([{ insert: 'click', attributes: { link: { href: 'java\nscript:alert(1)' } } }])
  ;(doc.getXmlFragment('default').get(0) as Y.XmlElement).insert(0, [text])
  const { editor } = open(doc)
  expect(editor.dom.textContent).toContain('click')
  expect(editor.dom.querySelector('a')?.hasAttribute('href') ?? false).toBe(false)
})

test('foreign content is shown, told and kept, and edited again once it is gone', async () => {
  vi.useFakeTimers()
  try {
    const { editor, events, doc } = open()
    const foreign = new Y.XmlElement('callout_v2')
    const text = new Y.XmlText()
    text.insert(0, 'from the future')
    foreign.insert(0, [text])
    doc.transact(() => doc.getXmlFragment('default').insert(1, [foreign]), 'remote')
    await Promise.resolve()
    expect(events).toContainEqual({ type: 'foreign', what: 'node', name: 'callout_v2' })
    expect(document.body.textContent).toContain('from the future')
    expect(editor.commands.heading(1)).toBe(false)
    expect(xml(doc)).toContain('from the future')
    doc.transact(() => doc.getXmlFragment('default').delete(1, 1), 'remote')
    await vi.advanceTimersByTimeAsync(2000)
    expect(events).toContainEqual({ type: 'familiar' })
    expect(editor.commands.heading(1)).toBe(true)
  } finally {
    vi.useRealTimers()
  }
})

test('words and outline are told when nobody types', async () => {
  vi.useFakeTimers()
  try {
    const { editor, events, doc } = open()
    const heading = new Y.XmlElement('heading')
    heading.setAttribute('id', 'h')
    heading.setAttribute('level', 2 as never)
    heading.insert(0, [new Y.XmlText('The sea, again')])
    doc.transact(() => doc.getXmlFragment('default').insert(0, [heading]), 'remote')
    await vi.advanceTimersByTimeAsync(2000)
    expect(editor.outline).toEqual([{ id: 'h', level: 2, text: 'The sea, again' }])
    expect(editor.count).toEqual({ words: 3, characters: 14, selected: null })
    expect(events.map(({ type }) => type)).toContain('outline')
  } finally {
    vi.useRealTimers()
  }
})
