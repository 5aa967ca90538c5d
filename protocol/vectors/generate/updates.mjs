// Writes ../updates.json: updates as Yjs makes them, from edits like those of real applications.
//
// A trace is what one observer received: its updates in their order, and the state vector and
// delete set of a document that applied all of them. Traces of pycrdt are written by updates.py.

import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { Schema } from 'prosemirror-model'
import { schema as basic } from 'prosemirror-schema-basic'
import { prosemirrorJSONToYXmlFragment, updateYFragment } from 'y-prosemirror'
import * as Y from 'yjs'
import { Random } from './random.mjs'

const FILE = new URL('../updates.json', import.meta.url)
const SOURCE = 'yjs 13.6.30'
const traces = []

const base64 = bytes => Buffer.from(bytes).toString('base64')

const newDoc = (client, options = {}) => {
  const doc = new Y.Doc({ guid: `doc-${client}`, ...options })
  doc.clientID = client
  return doc
}

const write = (name, doc, updates, more = {}) => {
  const ds = Y.createDeleteSetFromStructStore(doc.store)
  traces.push({
    name,
    source: SOURCE,
    ...more,
    state_vector: base64(Y.encodeStateVector(doc)),
    deletes: Object.fromEntries(
      [...ds.clients].map(([client, items]) => [client, items.map(i => [i.clock, i.clock + i.len])])
    ),
    updates: updates.map(base64)
  })
}

// Records the edits of one client, and then its whole state.
const record = (name, client, edit, { options, subdocument } = {}) => {
  const doc = newDoc(client, options)
  const updates = []
  doc.on('update', update => updates.push(update))
  edit(doc)
  const more = subdocument ? { subdocument } : {}
  write(name, doc, updates, more)
  write(`${name}, whole`, doc, [Y.encodeStateAsUpdate(doc)], more)
  return { doc, updates }
}

const WORDS = ['the ', 'quick ', 'brown ', 'fox', ' jumps', ' über', ' naïve', ' 漢字', ' مرحبا', ' 😀', '👩‍👩‍👧', ' é', '\n', '\t', '𝒳', '0', '🇫🇷', 'ÿ', '\u0000', '\ufeff', '\u2028']

const typeText = (text, random, steps, words = WORDS) => {
  for (let i = 0; i < steps; i++) {
    const at = random.below(text.length + 1)
    if (text.length > 4 && random.chance(0.25)) {
      const from = random.below(text.length - 2)
      text.delete(from, 1 + random.below(Math.min(6, text.length - from - 1)))
    } else {
      text.insert(at, random.of(words))
    }
  }
}

// Texts

record('typing at the end', 101, doc => {
  for (const letter of 'Hello, world. Typed one letter at a time, as people do. '.repeat(3)) {
    const text = doc.getText('text')
    text.insert(text.length, letter)
  }
})

record('typing everywhere, in every script, halving emoji', 3_735_928_559, doc => {
  typeText(doc.getText('text'), new Random(1), 400)
})

record('lone surrogates', 102, doc => {
  const text = doc.getText('t')
  text.insert(0, 'a\ud83db')
  text.insert(1, '\ude00')
  text.insert(0, '😀😀😀')
  text.delete(1, 1)
  text.insert(3, 'x')
  text.delete(0, 2)
})

record('a long paste', 103, doc => {
  const text = doc.getText('text')
  text.insert(0, 'Lorem ipsum dolor sit amet, consectetur adipiscing elit. '.repeat(60))
  text.insert(1500, 'été 😀 '.repeat(100))
  text.delete(100, 2500)
})

record('rich text with formats and embeds', 104, doc => {
  const random = new Random(2)
  const text = doc.getText('quill')
  const formats = [{ bold: true }, { bold: null }, { italic: true }, { color: '#ff00aa' }, { link: 'https://example.org/?q=1&r=“x”' }, { header: 2 }, { list: { kind: 'ordered', start: 3 } }, { size: 1.5 }, { comment: ['a', 'b'] }, { code: {} }, { 'data-é': '漢' }, { underline: false }]
  const embeds = [{ image: 'data:image/png;base64,' + 'iVBORw0KGgo'.repeat(20) }, { mention: { id: 7, label: 'Ann “A”' } }, { formula: 'e=mc^2' }, { divider: true }, { table: { rows: [[1, 2], [null, { deep: [[[[]]]] }]] } }]
  for (let i = 0; i < 200; i++) {
    const length = text.length
    if (length < 10 || random.chance(0.4)) {
      text.insert(random.below(length + 1), random.of(WORDS), random.chance(0.3) ? random.of(formats) : undefined)
    } else if (random.chance(0.5)) {
      const from = random.below(length - 1)
      text.format(from, 1 + random.below(length - from - 1), random.of(formats))
    } else if (random.chance(0.3)) {
      text.insertEmbed(random.below(length + 1), random.of(embeds), random.chance(0.5) ? random.of(formats) : {})
    } else {
      text.delete(random.below(length - 3), 2)
    }
  }
  text.applyDelta([{ retain: 3, attributes: { bold: true } }, { insert: 'delta' }, { delete: 2 }, { insert: { image: 'x' }, attributes: { width: 3 } }])
  text.insertEmbed(0, new Y.Map([['typed', 'embed']]))
  text.setAttribute('lang', 'fr')
})

// Values

const nest = (levels, leaf) => {
  let value = leaf
  for (let i = 0; i < levels; i++) value = i % 2 ? [value] : { k: value }
  return value
}

const VALUES = [
  null, undefined, true, false, 0, -0, 1, -1, 63, 64, -64, 127, 128, 8191, 8192, 2 ** 31 - 1, 2 ** 31, -(2 ** 31), 2 ** 32, 2 ** 53 - 1, -(2 ** 53 - 1), 2 ** 53,
  0.5, -0.1, 1e308, 5e-324, NaN, Infinity, -Infinity, 3.4028234663852886e38,
  0n, 1n, -1n, 2n ** 63n - 1n, -(2n ** 63n),
  '', 'a', 'é', '漢字', '😀', 'x'.repeat(200), '\u0000', '"quoted"\\', '\ud800',
  [], {}, [[]], [{}], { '': '' }, { a: 1, b: [1, 'x', null, { c: 2.5 }], é: 'clé' }, [1, [2, [3, [4]]]],
  [new Uint8Array([1, 2, 3])], { bytes: new Uint8Array(0) }, new Uint8Array([0, 255, 128]), new Uint8Array(0),
  nest(63, 'deep'), nest(20, null), Array.from({ length: 300 }, (_, i) => i * i)
]

record('every kind of value in a map', 105, doc => {
  const map = doc.getMap('map')
  VALUES.forEach((value, i) => map.set(`key ${i}`, value))
  VALUES.forEach((value, i) => map.set('same', value))
  map.set('', 'empty key')
  map.set('é😀', 'named')
  map.delete('key 3')
  map.clear()
})

// Arrays take neither of these but inside other values.
const ARRAY_VALUES = VALUES.map(value => value === undefined || typeof value === 'bigint' ? [value] : value)

record('every kind of value in an array', 106, doc => {
  const array = doc.getArray('array')
  for (const value of ARRAY_VALUES) array.push([value])
  array.insert(3, ARRAY_VALUES.filter(value => !(value instanceof Uint8Array)))
  array.delete(10, 20)
  array.insert(0, ARRAY_VALUES)
  array.delete(0, array.length)
})

record('a large file', 107, doc => {
  const random = new Random(3)
  doc.getMap('files').set('a', Uint8Array.from({ length: 12_000 }, () => random.below(256)))
})

// Nested types

record('types in types', 108, doc => {
  const random = new Random(4)
  const root = doc.getArray('tree')
  const types = [root]
  for (let i = 0; i < 150; i++) {
    const parent = random.of(types)
    const child = random.of([() => new Y.Array(), () => new Y.Map(), () => new Y.Text('inner'), () => new Y.XmlFragment(), () => new Y.XmlElement('p'), () => new Y.XmlText('t')])()
    if (parent instanceof Y.Array) parent.insert(random.below(parent.length + 1), [child, i])
    else if (parent instanceof Y.Map) parent.set(`k${random.below(4)}`, child)
    else continue
    types.push(child)
  }
})

record('maps in maps, 200 deep', 109, doc => {
  let map = doc.getMap('deep')
  for (let i = 0; i < 200; i++) {
    const child = new Y.Map()
    map.set('k', child)
    map = child
  }
  map.set('leaf', new Y.Text('bottom'))
})

record('many types side by side', 110, doc => {
  const array = doc.getArray('rows')
  doc.transact(() => {
    for (let i = 0; i < 400; i++) {
      const row = new Y.Map()
      row.set('cells', Y.Array.from([i, `cell ${i}`]))
      array.push([row])
    }
  })
})

record('comment threads', 111, doc => {
  const threads = doc.getMap('comments')
  for (let i = 0; i < 12; i++) {
    const thread = new Y.Map()
    threads.set(`thread-${i}`, thread)
    const messages = new Y.Array()
    thread.set('messages', messages)
    thread.set('resolved', false)
    for (let j = 0; j < 3; j++) {
      const body = new Y.Text()
      messages.push([new Y.Map([['author', `user ${j}`], ['at', 1_700_000_000_000 + i * 1000], ['body', body]])])
      body.insert(0, `Comment ${j} 👍`)
    }
    if (i % 3 === 0) thread.set('resolved', true)
    if (i % 5 === 4) threads.delete(`thread-${i - 1}`)
  }
})

// XML

record('XML by hand', 112, doc => {
  const random = new Random(5)
  const root = doc.getXmlFragment('default')
  for (let i = 0; i < 40; i++) {
    const element = new Y.XmlElement(random.of(['paragraph', 'heading', 'listItem', 'é-name', 'x']))
    root.insert(random.below(root.length + 1), [element])
    element.setAttribute('level', `${i % 6}`)
    element.setAttribute('object', { textAlign: null, n: i })
    const text = new Y.XmlText()
    element.insert(0, [text])
    text.insert(0, random.of(WORDS))
    text.insert(0, 'bold 😀', { bold: {} })
    text.format(0, 3, { link: { href: 'https://example.org', target: '_blank' } })
    if (i % 4 === 3) element.removeAttribute('level')
    if (i % 7 === 6) root.delete(random.below(root.length), 1)
  }
  root.push([new Y.XmlText('loose')])
})

const rich = new Schema({
  nodes: basic.spec.nodes
    .addToEnd('table', { content: 'row+', group: 'block' })
    .addToEnd('row', { content: 'cell+' })
    .addToEnd('cell', { content: 'block+', attrs: { colspan: { default: 1 }, colwidth: { default: null } } })
    .addToEnd('taskItem', { content: 'paragraph block*', group: 'block', attrs: { checked: { default: false } } })
    .addToEnd('mention', { group: 'inline', inline: true, atom: true, attrs: { id: {}, label: { default: null } } }),
  marks: basic.spec.marks
    .addToEnd('comment', { attrs: { id: {} }, excludes: '' })
    .addToEnd('textStyle', { attrs: { color: { default: null } } })
})

const pmText = (random) => {
  const marks = random.chance(0.4) ? [random.of([{ type: 'strong' }, { type: 'em' }, { type: 'link', attrs: { href: 'https://example.org', title: null } }, { type: 'comment', attrs: { id: `c${random.below(5)}` } }, { type: 'textStyle', attrs: { color: '#336699' } }])] : []
  if (marks.length && marks[0].type === 'comment') marks.push({ type: 'comment', attrs: { id: 'other' } })
  return { type: 'text', text: random.of(WORDS.filter(word => word.trim())) + random.below(100), marks }
}

const pmParagraph = (random) => ({
  type: 'paragraph',
  content: Array.from({ length: random.below(4) }, () => random.chance(0.15) ? { type: 'mention', attrs: { id: random.below(9), label: 'Zoë' } } : pmText(random))
})

const pmBlock = (random, depth = 0) => {
  const kind = random.below(depth > 2 ? 3 : 8)
  if (kind < 3) return pmParagraph(random)
  if (kind === 3) return { type: 'heading', attrs: { level: 1 + random.below(3) }, content: [pmText(random)] }
  if (kind === 4) return { type: 'blockquote', content: [pmBlock(random, depth + 1)] }
  if (kind === 5) return { type: 'taskItem', attrs: { checked: random.chance(0.5) }, content: [pmParagraph(random), pmBlock(random, depth + 1)] }
  if (kind === 6) return { type: 'code_block', content: [{ type: 'text', text: 'let x = 1\n' }] }
  const row = () => ({ type: 'row', content: Array.from({ length: 3 }, () => ({ type: 'cell', attrs: { colspan: 1, colwidth: random.chance(0.3) ? [120] : null }, content: [pmParagraph(random)] })) })
  return { type: 'table', content: [row(), row()] }
}

const editProseMirror = (doc, random, blocks, steps) => {
  const fragment = doc.getXmlFragment('default')
  const meta = { mapping: new Map(), isOMark: new Map() }
  const put = content => doc.transact(() => updateYFragment(doc, fragment, rich.nodeFromJSON({ type: 'doc', content }), meta))
  for (let i = 0; i < steps; i++) {
    if (i === 0 || random.chance(0.3)) blocks.splice(random.below(blocks.length + 1), 0, pmBlock(random))
    else if (blocks.length > 3 && random.chance(0.2)) blocks.splice(random.below(blocks.length), 1)
    else {
      const block = random.of(blocks)
      if (block.type === 'paragraph') block.content = [...(block.content ?? []), pmText(random)]
      else if (block.content?.[0].type === 'text') block.content[0].text += random.of(['a', ' b', 'é', '😀'])
      else blocks.push(pmParagraph(random))
    }
    put(blocks)
  }
}

record('ProseMirror', 2_000_000_011, doc => editProseMirror(doc, new Random(6), [], 120))

record('a ProseMirror document, imported at once', 113, doc => {
  const random = new Random(7)
  const content = Array.from({ length: 80 }, () => pmBlock(random))
  prosemirrorJSONToYXmlFragment(rich, { type: 'doc', content }, doc.getXmlFragment('default'))
})

// Whiteboards and sheets

record('a whiteboard', 114, doc => {
  const random = new Random(8)
  const shapes = doc.getMap('shapes')
  for (let i = 0; i < 60; i++) {
    shapes.set(`shape:${i}`, { id: `shape:${i}`, type: random.of(['geo', 'arrow', 'draw']), x: random.next() * 1000, y: random.below(1000), props: { w: 100, h: 50.5, color: 'light-blue', points: [[0, 0], [1.5, 2.25]] } })
  }
  const dragged = new Y.Map()
  shapes.set('dragged', dragged)
  for (let i = 0; i < 80; i++) {
    doc.transact(() => {
      dragged.set('x', i * 1.25)
      dragged.set('y', 100 - i)
    })
    if (i % 10 === 0) shapes.delete(`shape:${random.below(60)}`)
  }
  const strokes = doc.getArray('strokes')
  for (let i = 0; i < 20; i++) strokes.push([{ points: Array.from({ length: 20 }, () => random.next()) }])
})

record('a sheet', 115, doc => {
  const random = new Random(9)
  const cells = doc.getMap('cells')
  for (let i = 0; i < 200; i++) {
    const key = `${random.below(30)}:${random.below(10)}`
    if (random.chance(0.1)) cells.delete(key)
    else if (random.chance(0.3)) cells.set(key, { f: `=SUM(A1:A${i})`, v: i * 1.1, s: { bold: true, fmt: '0.00' } })
    else cells.set(key, random.of([i, `${i}`, true, null, 0.1 * i]))
  }
  const rows = doc.getArray('rowOrder')
  rows.insert(0, Array.from({ length: 50 }, (_, i) => `row-${i}`))
  for (let i = 0; i < 10; i++) {
    const at = random.below(rows.length - 1)
    const row = rows.get(at)
    doc.transact(() => {
      rows.delete(at, 1)
      rows.insert(random.below(rows.length), [row])
    })
  }
})

// Undo, garbage, history

record('undo and redo', 116, doc => {
  const random = new Random(10)
  const text = doc.getText('text')
  const map = doc.getMap('map')
  const undo = new Y.UndoManager([text, map], { captureTimeout: 0 })
  for (let i = 0; i < 150; i++) {
    const what = random.below(5)
    if (what === 0) undo.undo()
    else if (what === 1) undo.redo()
    else if (what === 2) map.set(`k${random.below(3)}`, random.chance(0.5) ? new Y.Text('x') : i)
    else typeText(text, random, 1)
  }
})

const churn = doc => {
  const random = new Random(11)
  const map = doc.getMap('m')
  const array = doc.getArray('a')
  for (let i = 0; i < 120; i++) {
    map.set('k', new Y.Array())
    map.get('k').push([i, 'x', new Y.Text('gone soon')])
    array.insert(random.below(array.length + 1), [new Y.Map([['a', i]])])
    if (array.length > 3) array.delete(random.below(array.length), 1)
  }
}
record('garbage, collected', 117, churn)
record('garbage, kept', 118, churn, { options: { gc: false } })

{
  const { doc } = record('a user’s permanent data', 119, doc => {
    const data = new Y.PermanentUserData(doc)
    data.setUserMapping(doc, doc.clientID, 'ann')
    typeText(doc.getText('t'), new Random(12), 20)
  })
  const restored = Y.createDocFromSnapshot(newDocWithHistory(), Y.snapshot(newDocWithHistory()))
  restored.clientID = 120
  write('restored from a snapshot', restored, [Y.encodeStateAsUpdate(restored)])
  doc.destroy()
}

function newDocWithHistory () {
  const doc = newDoc(121, { gc: false })
  typeText(doc.getText('t'), new Random(13), 60)
  return doc
}

// Several people

const crowd = (name, clients, steps, seed, edit) => {
  const random = new Random(seed)
  const docs = clients.map(client => newDoc(client))
  const observer = newDoc(1)
  const updates = []
  const inbox = docs.map(() => [])
  docs.forEach((doc, me) => doc.on('update', (update, origin) => {
    if (origin === 'remote') return
    updates.push(update)
    inbox.forEach((box, other) => { if (other !== me) box.push(update) })
  }))
  for (let i = 0; i < steps; i++) {
    const me = random.below(docs.length)
    if (random.chance(0.4)) {
      const box = inbox[me].splice(0)
      if (random.chance(0.3) && box.length) Y.applyUpdate(docs[me], Y.mergeUpdates(box), 'remote')
      else box.forEach(update => Y.applyUpdate(docs[me], update, 'remote'))
    } else {
      edit(docs[me], random)
    }
  }
  updates.forEach(update => Y.applyUpdate(observer, update))
  write(name, observer, updates)
  write(`${name}, whole`, observer, [Y.encodeStateAsUpdate(observer)])
  return { observer, updates, docs, random }
}

const anything = (doc, random) => {
  const what = random.below(6)
  if (what < 2) typeText(doc.getText('text'), random, 1)
  else if (what === 2) doc.getMap('map').set(`k${random.below(5)}`, random.of(VALUES.slice(0, 40)))
  else if (what === 3) {
    const array = doc.getArray('array')
    if (array.length > 2 && random.chance(0.4)) array.delete(random.below(array.length), 1)
    else array.insert(random.below(array.length + 1), [random.of([1, 'x', null, new Y.Map(), new Y.Text('n')])])
  } else if (what === 4) {
    const text = doc.getText('text')
    if (text.length > 1) text.format(random.below(text.length - 1), 1, { bold: random.chance(0.5) ? true : null })
  } else {
    const root = doc.getXmlFragment('xml')
    if (root.length && random.chance(0.5)) {
      const element = root.get(random.below(root.length))
      if (element instanceof Y.XmlElement) element.setAttribute('n', `${random.below(9)}`)
    } else root.insert(random.below(root.length + 1), [new Y.XmlElement('p')])
  }
}

const { observer, updates } = crowd('five people at once', [11, 4_000_000_007, 22_222, 3, 2 ** 32 - 1], 500, 14, anything)

crowd('two people in one line', [201, 202], 300, 15, (doc, random) => typeText(doc.getText('t'), random, 1, ['a', 'b', 'é', '😀']))

crowd('two people in ProseMirror', [203, 204], 60, 16, (doc, random) => {
  editProseMirror(doc, random, doc.blocks ??= [pmParagraph(random)], 1)
})

// What servers and other tools make of them

{
  const random = new Random(17)
  const late = newDoc(2)
  const shuffled = [...updates]
  for (let i = shuffled.length - 1; i > 0; i--) {
    const j = random.below(i + 1)
    ;[shuffled[i], shuffled[j]] = [shuffled[j], shuffled[i]]
  }
  shuffled.forEach(update => Y.applyUpdate(late, update))
  write('received in any order', late, shuffled)

  const some = newDoc(4)
  const merged = []
  for (let i = 0; i < 40; i++) merged.push(Y.mergeUpdates(updates.filter(() => random.chance(0.3))))
  merged.push(Y.mergeUpdates(updates))
  merged.forEach(update => Y.applyUpdate(some, update))
  write('merged with gaps', some, merged)

  const prefix = newDoc(5)
  const diffs = []
  const whole = Y.encodeStateAsUpdate(observer)
  updates.forEach((update, i) => {
    Y.applyUpdate(prefix, update)
    if (i % 12 === 0) {
      diffs.push(Y.diffUpdate(whole, Y.encodeStateVector(prefix)))
      diffs.push(Y.encodeStateAsUpdate(observer, Y.encodeStateVector(prefix)))
    }
  })
  diffs.reverse()
  const rebuilt = newDoc(6)
  diffs.forEach(update => Y.applyUpdate(rebuilt, update))
  Y.applyUpdate(rebuilt, whole)
  write('differences', rebuilt, [...diffs, whole])

  // In the middle of a block, also of an emoji.
  const cut = []
  const source = newDoc(301)
  source.getText('t').insert(0, 'ab😀cd漢字ef😀😀')
  source.getArray('a').insert(0, [1, 2, 3, 'x', null])
  for (let clock = 1; clock < Y.getState(source.store, 301); clock++) {
    const vector = Y.encodeStateVector(new Map([[301, clock]]))
    cut.push(Y.encodeStateAsUpdate(source, vector), Y.diffUpdate(Y.encodeStateAsUpdate(source), vector))
  }
  cut.push(Y.encodeStateAsUpdate(source))
  write('cut inside blocks', source, cut)

  const converted = newDoc(7)
  const fromV2 = Y.convertUpdateFormatV2ToV1(Y.encodeStateAsUpdateV2(observer))
  const hidden = Y.obfuscateUpdate(whole)
  Y.applyUpdate(converted, fromV2)
  write('converted from version 2', converted, [fromV2])
  const obfuscated = newDoc(8)
  Y.applyUpdate(obfuscated, hidden)
  write('obfuscated', obfuscated, [hidden])

  const pending = newDoc(9)
  Y.applyUpdate(pending, updates[40])
  const held = Y.encodeStateAsUpdate(pending)
  updates.forEach(update => Y.applyUpdate(pending, update))
  write('pending, then all', pending, [held, ...updates])
}

// Odd but valid

{
  const empty = newDoc(10)
  write('nothing', empty, [Y.encodeStateAsUpdate(empty), Y.mergeUpdates([]), Y.mergeUpdates([Y.encodeStateAsUpdate(empty)])])
}

for (const client of [0, 1, 127, 128, 2 ** 32, 2 ** 53 - 1]) {
  record(`client ${client}`, client, doc => {
    doc.getText('').insert(0, 'root without a name')
    doc.getText('é/\u0000').insert(0, 'x')
    doc.getText('').delete(1, 2)
  })
}

record('one big transaction', 401, doc => {
  doc.transact(() => {
    typeText(doc.getText('t'), new Random(18), 300)
    for (let i = 0; i < 100; i++) doc.getMap('m').set(`k${i}`, i)
  })
})

record('subdocuments', 402, doc => {
  const docs = doc.getMap('docs')
  docs.set('a', new Y.Doc({ guid: 'a' }))
  docs.set('b', new Y.Doc({ guid: 'b', meta: { title: 'é', tags: [1, null] }, autoLoad: true }))
  docs.set('c', new Y.Doc({ guid: 'c', gc: false, collectionid: 'x' }))
  doc.getArray('list').push([new Y.Doc({ guid: 'd' }), 1])
  docs.delete('a')
}, { subdocument: true })

const others = existsSync(FILE)
  ? JSON.parse(readFileSync(FILE, 'utf8')).traces.filter(trace => trace.source !== SOURCE)
  : []
const about = 'Updates (v1, base64) as Yjs and pycrdt make them. Each trace: the updates in the order in which one document received them, and its state vector (base64) and delete set (client to [start, end) ranges) afterwards. Written by generate/.'
// One update a line, so that changes can be read.
const lines = [...traces, ...others].map(trace => {
  const head = JSON.stringify({ ...trace, updates: [] }).slice(0, -2)
  return `${head}\n${trace.updates.map(update => JSON.stringify(update)).join(',\n')}\n]}`
})
writeFileSync(FILE, `{"about":${JSON.stringify(about)},\n"traces":[\n${lines.join(',')}\n]}\n`)
console.log(`${traces.length} traces, ${traces.reduce((n, t) => n + t.updates.length, 0)} updates`)
