// What stands beside the others' cursors.
import { afterEach, expect, test, vi } from 'vitest'
import { Awareness, applyAwarenessUpdate, encodeAwarenessUpdate } from 'y-protocols/awareness'
import * as Y from 'yjs'
import { createEditor } from '../index'
import type { EditorHandle } from '../types'

const opened: EditorHandle[] = []

afterEach(() => {
  for (const editor of opened.splice(0)) editor.destroy()
})

/** Somebody else's awareness with their cursor at the beginning of the text. */
function cursorIn(doc: Y.Doc, user: object): Uint8Array {
  const theirs = new Awareness(new Y.Doc())
  const place = Y.relativePositionToJSON(Y.createRelativePositionFromTypeIndex(doc.getXmlFragment('default').get(0) as Y.XmlElement, 0))
  theirs.setLocalState({ user, cursor: { anchor: place, head: place } })
  const update = encodeAwarenessUpdate(theirs, [theirs.clientID])
  theirs.destroy()
  return update
}

/** An editor on `doc`; `names` are those at the others' cursors in it. */
function show(doc: Y.Doc): { awareness: Awareness; names: () => (string | null)[] } {
  const element = document.createElement('div')
  document.body.append(element)
  const awareness = new Awareness(doc)
  opened.push(
    createEditor({
      element, doc, awareness, editable: true,
      user: { id: 'u1', name: 'Bob', color: '#336699' },
      words: (key, values) => (key === 'editor.guest' ? `${values?.['name']} (guest)` : key),
      upload: () => Promise.reject(new Error('none')),
      image: () => Promise.reject(new Error('none')),
      people: () => Promise.resolve([]),
      onEvent: () => undefined,
    }),
  )
  return { awareness, names: () => [...element.querySelectorAll('.others-name')].map(({ textContent }) => textContent) }
}

function paragraph(id: string): Y.XmlElement {
  const made = new Y.XmlElement('paragraph')
  made.setAttribute('id', id)
  return made
}

const painted = () => new Promise((resolve) => requestAnimationFrame(() => setTimeout(resolve)))

test('a guest who has the name of a member is shown as a guest', async () => {
  const doc = new Y.Doc()
  doc.getXmlFragment('default').insert(0, [paragraph('first')])
  const { awareness, names } = show(doc)
  applyAwarenessUpdate(awareness, cursorIn(doc, { id: 'u2', name: 'Ada' }), null)
  applyAwarenessUpdate(awareness, cursorIn(doc, { id: 'guest-1', name: 'Ada', guest: true }), null)
  await vi.waitFor(() => expect(names().sort()).toEqual(['Ada', 'Ada (guest)']))
})

test('a cursor that comes before the text it stands in is drawn when the text is there', async () => {
  const doc = new Y.Doc()
  doc.getXmlFragment('default').insert(0, [paragraph('first')])
  const theirs = new Y.Doc()
  Y.applyUpdate(theirs, Y.encodeStateAsUpdate(doc))
  const { awareness, names } = show(doc)
  theirs.getXmlFragment('default').insert(0, [paragraph('new')])
  applyAwarenessUpdate(awareness, cursorIn(theirs, { id: 'u2', name: 'Ada' }), null)
  await painted()
  await painted()
  expect(names()).toEqual([])
  Y.applyUpdate(doc, Y.encodeStateAsUpdate(theirs))
  await vi.waitFor(() => expect(names()).toEqual(['Ada']))
})

test('a cursor stays when its block is drawn anew', async () => {
  const doc = new Y.Doc()
  const block = paragraph('first')
  doc.getXmlFragment('default').insert(0, [block])
  const { awareness, names } = show(doc)
  applyAwarenessUpdate(awareness, cursorIn(doc, { id: 'u2', name: 'Ada' }), null)
  await vi.waitFor(() => expect(names()).toEqual(['Ada']))
  block.setAttribute('textAlign', 'center')
  await vi.waitFor(() => expect(names()).toEqual(['Ada']))
})
