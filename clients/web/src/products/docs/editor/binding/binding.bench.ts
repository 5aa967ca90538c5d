// What a letter costs, one's own and somebody else's, in a long document: our binding and y-tiptap's.
//   npx vitest bench src/products/docs/editor/binding
import type { Plugin } from '@tiptap/pm/state'
import { EditorState } from '@tiptap/pm/state'
import { EditorView } from '@tiptap/pm/view'
import { prosemirrorToYXmlFragment, ySyncPlugin, yUndoPlugin } from '@tiptap/y-tiptap'
import { bench, describe } from 'vitest'
import * as Y from 'yjs'
import { Binding } from './binding'
import { contentSchema } from './headless'

const schema = contentSchema()
const SENTENCE = 'Twelve words of no great weight stand here to fill one block. '
const PAUSE = { time: 2000, warmupTime: 300 }

function documentOf(blocks: number): Y.Doc {
  const doc = new Y.Doc()
  const paragraphs = Array.from({ length: blocks }, (_, at) => schema.nodes['paragraph']!.create(null, schema.text(`${at} ${SENTENCE}`)))
  prosemirrorToYXmlFragment(schema.topNodeType.create(null, paragraphs), doc.getXmlFragment('default'))
  return doc
}

function viewOf(plugins: Plugin[], doc = schema.topNodeType.create()): EditorView {
  return new EditorView(document.body.appendChild(document.createElement('div')), { state: EditorState.create({ schema, doc, plugins }) })
}

const BINDINGS: Readonly<Record<string, (fragment: Y.XmlFragment) => EditorView>> = {
  ours: (fragment) => {
    const binding = new Binding(fragment, schema, { foreign: (error) => { throw error } })
    return viewOf([binding.plugin()], binding.document)
  },
  'y-tiptap': (fragment) => viewOf([ySyncPlugin(fragment), yUndoPlugin()]),
}

for (const blocks of [100, 1000, 5000]) {
  describe(`a letter from somebody else, ${blocks} blocks`, () => {
    for (const [name, open] of Object.entries(BINDINGS)) {
      const doc = documentOf(blocks)
      const theirs = new Y.Doc()
      Y.applyUpdate(theirs, Y.encodeStateAsUpdate(doc))
      theirs.on('update', (update: Uint8Array) => Y.applyUpdate(doc, update, 'theirs'))
      const text = (theirs.getXmlFragment('default').get(blocks >> 1) as Y.XmlElement).get(0) as Y.XmlText
      open(doc.getXmlFragment('default'))
      bench(name, () => text.insert(3, 'x'), PAUSE)
    }
  })

  describe(`a letter of one's own, ${blocks} blocks`, () => {
    for (const [name, open] of Object.entries(BINDINGS)) {
      const doc = documentOf(blocks)
      const view = open(doc.getXmlFragment('default'))
      bench(name, () => {
        const middle = view.state.doc.resolve(view.state.doc.content.size >> 1)
        view.dispatch(view.state.tr.insertText('x', middle.start(1) + 1))
      }, PAUSE)
    }
  })
}
