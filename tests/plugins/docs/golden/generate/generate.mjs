// Writes the golden files: what the real editor makes of a document, as an update and as JSON.
// Run it with Node after `make setup`: node tests/plugins/docs/golden/generate/generate.mjs
import { writeFileSync } from 'node:fs'
import { Y, coming, edit, newDoc, read, spec } from './stock.mjs'

const text = (words, ...marks) => ({ type: 'text', ...(marks.length ? { marks } : {}), text: words })
const mark = (type, attrs) => (attrs ? { type, attrs } : { type })
const node = (type, attrs, ...content) => ({ type, ...(attrs ? { attrs } : {}), ...(content.length ? { content } : {}) })
const p = (...content) => node('paragraph', null, ...content)
const doc = (...content) => ({ type: 'doc', content })

const cases = {
  'every block': (editor) => editor.commands.setContent(doc(
    node('heading', { id: 'h1', level: 1, textAlign: 'center' }, text('Title')),
    node('heading', { id: 'h6', level: 6 }, text('Deep')),
    p(text('Plain.')),
    node('blockquote', { id: 'q' }, p(text('Quoted')), node('blockquote', null, p(text('twice')))),
    node('codeBlock', { language: 'python' }, text('if a < b:\n\treturn "é"\n')),
    node('codeBlock', null, text('no language')),
    node('horizontalRule', { id: 'r' }),
    node('image', { id: 'i', file: 'ab'.repeat(32), alt: 'A "sea" <view>', width: 320, naturalWidth: 1600, naturalHeight: 1200 }),
    node('image', { file: null }),
    node('bulletList', null, node('listItem', null, p(text('one'))), node('listItem', null, p(text('two')))),
    node('orderedList', { start: 7 }, node('listItem', null, p(text('seven')))),
    node('taskList', null, node('taskItem', { checked: true }, p(text('done'))), node('taskItem', { checked: false }, p(text('open')))),
    node('table', null,
      node('tableRow', null, node('tableHeader', null, p(text('A'))), node('tableHeader', null, p(text('B')))),
      node('tableRow', null, node('tableCell', null, p(text('1'))), node('tableCell', null, p(text('2'))))),
  )),
  'every mark': (editor) => editor.commands.setContent(doc(p(
    ...Object.keys(spec.marks).flatMap((name) => [
      text(`${name} `, mark(name, name === 'link' ? { href: 'https://example.org/?a=1&b=2' } : name === 'highlight' ? { color: '#ffee00' } : undefined)),
      text('· '),
    ]),
    text('plain highlight', mark('highlight')),
  ))),
  'nested and adjoining marks': (editor) => editor.commands.setContent(doc(p(
    text('a', mark('bold')),
    text('b', mark('bold'), mark('italic')),
    text('c', mark('italic')),
    text('d', mark('link', { href: 'https://a.example' }), mark('bold'), mark('italic'), mark('underline'), mark('strike'), mark('subscript'), mark('highlight', { color: 'yellow' })),
    text('e', mark('link', { href: 'https://a.example' })),
    text('f', mark('link', { href: 'mailto:b@example.org' })),
    text('g', mark('code'), mark('bold')),
  ))),
  'inline nodes': (editor) => editor.commands.setContent(doc(p(
    text('before'), node('hardBreak'), text('after', mark('bold')), node('hardBreak'), node('hardBreak'),
    node('mention', { id: 'u1', label: 'Ada Lovelace' }), text(' and '), node('mention', { id: 'u2', label: 'Zoë' }),
  ), p(node('hardBreak')), p(node('mention', { id: 'u3', label: '' })))),
  'inline nodes with marks': (editor) => editor.commands.setContent(doc(p(
    text('bold ', mark('bold')), { type: 'mention', attrs: { id: 'u1', label: 'Ada' }, marks: [mark('bold')] }, text(' on', mark('bold')),
  ))),
  'a table with spans': (editor) => editor.commands.setContent(doc(node('table', { id: 't' },
    node('tableRow', null, node('tableHeader', { colspan: 2, colwidth: [120, 80] }, p(text('Wide'))), node('tableHeader', { rowspan: 2 }, p(text('Tall')))),
    node('tableRow', null, node('tableCell', null, p(text('x')), node('bulletList', null, node('listItem', null, p(text('in a cell'))))), node('tableCell', { colwidth: [0] })),
  ))),
  'nested lists': (editor) => editor.commands.setContent(doc(
    node('bulletList', null, node('listItem', null, p(text('1')),
      node('orderedList', { start: 3 }, node('listItem', null, p(text('1.3')),
        node('taskList', null, node('taskItem', { checked: true }, p(text('1.3.x')), node('bulletList', null, node('listItem', null, p(text('deepest')), p(text('second paragraph')))))))))),
  )),
  'emoji and other scripts': (editor) => editor.commands.setContent(doc(
    p(text('👩‍👩‍👧‍👦 '), text('🇫🇷', mark('bold')), text(' é e\u0301 ß Ⅷ')),
    p(text('日本語 العربية עברית हिन्दी'), text('𝒳', mark('italic')), text('\u00a0\u2009\u200b|')),
    p(text('  two  spaces  '), text('\ttab\nline')),
  )),
  'empty containers': (editor) => editor.commands.setContent(doc(
    p(), node('heading', { level: 2 }), node('blockquote'), node('codeBlock'), node('bulletList'), node('orderedList', null, node('listItem')),
    node('taskList', null, node('taskItem')), node('table'), node('table', null, node('tableRow')), node('table', null, node('tableRow', null, node('tableCell'), node('tableHeader'))),
  )),
  'nothing at all': () => {},
  'typed, formatted, split and joined': (editor) => {
    editor.commands.setContent(doc(p()))
    editor.commands.setTextSelection(1)
    for (const letter of 'Hello brave new world 🙂') editor.view.dispatch(editor.state.tr.insertText(letter))
    editor.chain().setTextSelection({ from: 7, to: 12 }).setMark('bold').run()
    editor.chain().setTextSelection({ from: 9, to: 16 }).setMark('italic').run()
    editor.chain().setTextSelection({ from: 7, to: 9 }).unsetMark('bold').run()
    editor.chain().setTextSelection({ from: 3, to: 20 }).setMark('link', { href: 'https://one.example' }).run()
    editor.chain().setTextSelection({ from: 5, to: 8 }).setMark('link', { href: 'https://two.example' }).run()
    editor.chain().setTextSelection(10).splitBlock().run()
    editor.chain().setTextSelection(4).splitBlock().run()
    editor.commands.joinBackward()
    editor.chain().setTextSelection({ from: 2, to: 4 }).deleteSelection().run()
  },
  'emptied again': (editor) => {
    editor.commands.setContent(doc(p(text('short-lived', mark('bold'))), p(text('stays'))))
    editor.chain().setTextSelection({ from: 1, to: 12 }).deleteSelection().run()
  },
}

/** The document without marks on nodes that are no text: the binding does not keep them. */
function kept(json) {
  const { marks, ...rest } = json
  return { ...(json.type === 'text' ? json : rest), ...(json.content ? { content: json.content.map(kept) } : {}) }
}

function made(change, using) {
  const content = newDoc()
  const editor = edit(content, using)
  change(editor)
  const seen = kept(editor.getJSON())
  editor.destroy()
  return { content, seen }
}

/** Two people who began with the same document and met again. */
function met(first, second) {
  const base = newDoc()
  const opening = edit(base)
  opening.commands.setContent(doc(node('paragraph', { id: 'one' }), node('paragraph', { id: 'two' }, text('shared words'))))
  opening.destroy()
  const [left, right] = [newDoc(), newDoc()]
  for (const copy of [left, right]) Y.applyUpdate(copy, Y.encodeStateAsUpdate(base))
  for (const [copy, change] of [[left, first], [right, second]]) {
    const editor = edit(copy)
    change(editor)
    editor.destroy()
  }
  Y.applyUpdate(left, Y.encodeStateAsUpdate(right))
  return left
}

const meetings = {
  'two people type into one empty block': [
    (editor) => editor.chain().setTextSelection(1).insertContent('left').run(),
    (editor) => editor.chain().setTextSelection(1).insertContent('right').run(),
  ],
  'one makes bold what another makes italic': [
    (editor) => editor.chain().setTextSelection({ from: 3, to: 11 }).setMark('bold').run(),
    (editor) => editor.chain().setTextSelection({ from: 6, to: 15 }).setMark('italic').run(),
  ],
  'one splits where another types': [
    (editor) => editor.chain().setTextSelection(8).splitBlock().run(),
    (editor) => editor.chain().setTextSelection(12).insertContent('XYZ').run(),
  ],
}

/** Somebody whose editor cuts an emoji in two: Yjs counts UTF-16 units. */
function parted() {
  const content = newDoc()
  const editor = edit(content)
  editor.commands.setContent(doc(p(text('a🦊b'))))
  editor.destroy()
  const words = content.getXmlFragment('default').get(0).get(0)
  words.delete(2, 1)
  words.insert(2, '\ufffd')
  return content
}

function golden(name, content, using, document) {
  const update = Buffer.from(Y.encodeStateAsUpdate(content)).toString('base64')
  const { json, untouched } = read(content, using)
  if (!untouched) throw new Error(`${name}: the binding changed what it read`)
  if (document && JSON.stringify(document) !== JSON.stringify(json)) throw new Error(`${name}: the editor shows something else`)
  return { name, update, document: json }
}

const files = {
  editor: Object.entries(cases).map(([name, change]) => {
    const { content, seen } = made(change)
    return golden(name, content, spec, seen)
  }),
  meetings: [
    ...Object.entries(meetings).map(([name, changes]) => golden(name, met(...changes), spec)),
    golden('one replaces half of an emoji', parted(), spec),
  ],
  coming: [
    golden('a node that this schema does not know', made((editor) => editor.commands.setContent(doc(
      p(text('known')), node('callout', { id: 'c', kind: 'tip', strength: 2.5 }, p(text('inside', mark('bold'))), node('callout', { id: 'd' })), p(text('known again')),
    )), coming).content, coming),
    golden('marks that overlap themselves', made((editor) => editor.commands.setContent(doc(p(
      text('one', mark('remark', { by: 'ada' })), text('both', mark('bold'), mark('remark', { by: 'ada' }), mark('remark', { by: 'bob' })), text('two', mark('remark', { by: 'bob' })),
    ))), coming).content, coming),
  ],
}

for (const [name, goldens] of Object.entries(files)) {
  writeFileSync(new URL(`../${name}.json`, import.meta.url), JSON.stringify(goldens, null, 1) + '\n')
}
process.exit(0)
