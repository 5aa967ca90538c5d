// Images that are copied from one document into another.
import type { Editor } from '@tiptap/core'
import { NodeSelection } from '@tiptap/pm/state'
import type { EditorView } from '@tiptap/pm/view'
import { afterEach, expect, test, vi } from 'vitest'
import * as Y from 'yjs'
import { createEditor } from '../index'
import type { EditorEvent, EditorHandle, EditorOptions } from '../types'

const HASH = 'c0ffee00'.repeat(8)
const opened: EditorHandle[] = []

afterEach(() => {
  for (const editor of opened.splice(0)) editor.destroy()
})

function open(doc: Y.Doc, more: Partial<EditorOptions>): { view: EditorView; events: EditorEvent[]; dom: HTMLElement } {
  const events: EditorEvent[] = []
  const element = document.createElement('div')
  document.body.append(element)
  const handle = createEditor({
    element, doc, awareness: null, editable: true,
    user: { id: 'u1', name: 'Ada', color: '#336699' },
    words: (key) => key,
    upload: () => Promise.reject(new Error('none')),
    image: (hash) => Promise.resolve(`/files/${hash}`),
    people: () => Promise.resolve([]),
    onEvent: (event) => events.push(event),
    ...more,
  })
  opened.push(handle)
  return { view: (handle.dom as HTMLElement & { editor: Editor }).editor.view, events, dom: element }
}

function documentWith(...names: string[]): Y.Doc {
  const doc = new Y.Doc()
  const blocks = names.map((name, at) => {
    const block = new Y.XmlElement(name)
    block.setAttribute('id', `b${at}`)
    if (name === 'image') block.setAttribute('file', HASH)
    return block
  })
  doc.getXmlFragment('default').insert(0, blocks)
  return doc
}

/** What the clipboard holds after the first block of a document called `name` was copied. */
function copied(name: string): string {
  const { view } = open(documentWith('image', 'paragraph'), { elsewhere: { here: name, fetch: () => Promise.reject(new Error('none')) } })
  view.dispatch(view.state.tr.setSelection(NodeSelection.create(view.state.doc, 0)))
  return view.serializeForClipboard(view.state.selection.content()).dom.innerHTML
}

function paste(view: EditorView, html: string): void {
  const event = new Event('paste', { bubbles: true, cancelable: true })
  const clipboardData = { files: [], items: [], types: ['text/html'], getData: (type: string) => (type === 'text/html' ? html : '') }
  view.dom.dispatchEvent(Object.assign(event, { clipboardData }))
}

const addressOf = (dom: HTMLElement) => dom.querySelector('img')?.getAttribute('src') ?? null

test('an image copied from another document is stored with this one, and then shown', async () => {
  const fetched: string[] = []
  const sent: File[] = []
  const { view, dom, events } = open(documentWith('paragraph'), {
    elsewhere: { here: 'second', fetch: async (from, hash) => (fetched.push(`${from} ${hash}`), new Blob(['picture'], { type: 'image/png' })) },
    upload: async (file) => (sent.push(file), { hash: HASH, width: 2, height: 1 }),
  })
  paste(view, copied('first'))
  expect(addressOf(dom)).toBe(null)
  await vi.waitFor(() => expect(addressOf(dom)).toBe(`/files/${HASH}`))
  expect(fetched).toEqual([`first ${HASH}`])
  expect(sent.map(({ type, size }) => ({ type, size }))).toEqual([{ type: 'image/png', size: 7 }])
  expect(events.filter(({ type }) => type === 'refused')).toEqual([])
})

test('an image copied within a document is there already', async () => {
  const upload = vi.fn(() => Promise.reject(new Error('none')))
  const { view, dom } = open(documentWith('paragraph'), { elsewhere: { here: 'first', fetch: () => Promise.reject(new Error('none')) }, upload })
  paste(view, copied('first'))
  await vi.waitFor(() => expect(addressOf(dom)).toBe(`/files/${HASH}`))
  expect(upload).not.toHaveBeenCalled()
})

test('an image that may not be had is said to be missing, and is had when that changes', async () => {
  let mayRead = false
  const { view, dom, events } = open(documentWith('paragraph'), {
    elsewhere: { here: 'second', fetch: () => (mayRead ? Promise.resolve(new Blob(['x'], { type: 'image/png' })) : Promise.reject(new Error('denied'))) },
    upload: () => Promise.resolve({ hash: HASH, width: 2, height: 1 }),
  })
  paste(view, copied('first'))
  await vi.waitFor(() => expect(dom.querySelector('[role=alert]:not([hidden])')?.textContent).toContain('editor.image.missing'))
  expect(events.filter(({ type }) => type === 'refused')).toEqual([{ type: 'refused', reason: 'image-elsewhere', message: 'editor.image.elsewhere' }])
  expect(addressOf(dom)).toBe(null)
  mayRead = true
  dom.querySelector<HTMLButtonElement>('[role=alert] button')!.click()
  await vi.waitFor(() => expect(addressOf(dom)).toBe(`/files/${HASH}`))
})
