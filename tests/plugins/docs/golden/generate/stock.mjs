// The real Tiptap and its Yjs binding, with extensions made from schema.json, outside of a browser.
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'

const root = new URL('../../../../../', import.meta.url)
const require = createRequire(new URL('tests/interop/package.json', root))

const { JSDOM } = require('jsdom')
const page = new JSDOM('<!doctype html><body></body>', { pretendToBeVisual: true })
for (const name of ['window', 'document', 'navigator', 'Node', 'Element', 'HTMLElement', 'MutationObserver', 'getComputedStyle', 'requestAnimationFrame', 'cancelAnimationFrame', 'Range', 'DOMParser', 'innerHeight', 'innerWidth']) {
  Object.defineProperty(globalThis, name, { value: name === 'window' ? page.window : page.window[name], configurable: true, writable: true })
}
page.window.Range.prototype.getClientRects = () => []
page.window.Range.prototype.getBoundingClientRect = () => ({ top: 0, bottom: 0, left: 0, right: 0 })

export const Y = require('yjs')
export const { Editor, Extension, Mark, Node, getSchema } = require('@tiptap/core')
export const { Collaboration } = require('@tiptap/extension-collaboration')
export const binding = require('@tiptap/y-tiptap')

export const spec = JSON.parse(readFileSync(new URL('plugins/parvis/plugins/docs/schema.json', root), 'utf8'))

/** The extensions of a schema as in schema.json: names, contents and attributes, nothing for the eye. */
export function extensions({ nodes, marks, top } = spec) {
  const attributes = (attrs = {}) => Object.fromEntries(Object.entries(attrs).map(([name, value]) => [name, { default: value }]))
  return [
    ...Object.entries(nodes).map(([name, { attrs, ...rest }]) =>
      Node.create({
        name,
        topNode: name === top,
        ...rest,
        addAttributes: () => attributes(attrs),
        parseHTML: () => [{ tag: `x-${name.toLowerCase()}` }],
        ...(name === 'text' ? {} : { renderHTML: () => [`x-${name.toLowerCase()}`, ...(rest.content ? [0] : [])] }),
      }),
    ),
    ...Object.entries(marks).map(([name, { attrs, ...rest }]) =>
      Mark.create({
        name,
        ...rest,
        addAttributes: () => attributes(attrs),
        parseHTML: () => [{ tag: `y-${name.toLowerCase()}` }],
        renderHTML: () => [`y-${name.toLowerCase()}`, 0],
      }),
    ),
  ]
}

/** What the coming version of the schema may bring: a node, and a mark that overlaps itself. */
export const coming = {
  ...spec,
  nodes: { ...spec.nodes, callout: { group: 'block', content: 'block*', attrs: { id: null, kind: 'note', strength: 1 } } },
  marks: { ...spec.marks, remark: { excludes: '', attrs: { by: null } } },
}

let client = 1000

/** A Yjs document with a client id that is the same in each run. */
export function newDoc() {
  const doc = new Y.Doc()
  doc.clientID = ++client
  return doc
}

/** An editor on the fragment `default` of a document. */
export function edit(doc, using = spec) {
  const element = document.createElement('div')
  document.body.append(element)
  return new Editor({ element, extensions: [...extensions(using), Collaboration.configure({ document: doc })] })
}

/** The content as the binding reads it, in ProseMirror's JSON, and whether reading changed the document. */
export function read(doc, using = spec) {
  const before = Buffer.from(Y.encodeStateAsUpdate(doc))
  const schema = getSchema(extensions(using))
  const json = binding.yXmlFragmentToProseMirrorRootNode(doc.getXmlFragment('default'), schema).toJSON()
  return { json, untouched: before.equals(Buffer.from(Y.encodeStateAsUpdate(doc))) }
}
