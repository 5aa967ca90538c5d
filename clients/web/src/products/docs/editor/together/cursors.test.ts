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

test('a guest who has the name of a member is shown as a guest', async () => {
  const doc = new Y.Doc()
  const paragraph = new Y.XmlElement('paragraph')
  paragraph.setAttribute('id', 'first')
  doc.getXmlFragment('default').insert(0, [paragraph])
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
  applyAwarenessUpdate(awareness, cursorIn(doc, { id: 'u2', name: 'Ada' }), null)
  applyAwarenessUpdate(awareness, cursorIn(doc, { id: 'guest-1', name: 'Ada', guest: true }), null)
  await vi.waitFor(() => {
    const names = [...element.querySelectorAll('.others-name')].map(({ textContent }) => textContent)
    expect(names.sort()).toEqual(['Ada', 'Ada (guest)'])
  })
})
