// What the clients write, and how two copies of it are compared.
import * as Y from 'yjs'

/** A generator of numbers in [0, 1) that repeats for the same seed (mulberry32). */
export function seeded(seed) {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

const WORDS = ['parvis', 'élan', '日本語', '🦊', 'ligne\n', ' ', 'x', '\u0000', 'İstanbul']

/** Each makes one change to one of the four kinds of shared type; `at(n)` draws from 0 to n - 1. */
const EDITS = [
  ({ text, word, at }) => text.insert(start(text, at(text.length + 1)), word),
  ({ text, at }) => text.length > 0 && text.delete(...span(text, at(text.length), 1)),
  ({ text, at }) => text.length > 2 && text.format(...span(text, at(text.length - 2), 2), { bold: true, size: 12 }),
  ({ text, at }) => text.insertEmbed(start(text, at(text.length + 1)), { image: 'é.png' }),
  ({ map, word, at, who }) => map.set(`key ${at(4)}`, { who, word, list: [1, null, true, -2.5, 2 ** 40] }),
  ({ map, at }) => map.delete(`key ${at(4)}`),
  ({ map, who }) => map.set(`nested ${who}`, new Y.Map([['deep', new Y.Text('fond')]])),
  ({ map, who }) => map.get(`nested ${who}`)?.get('deep').insert(0, '↑'),
  ({ map, who }) => map.set('bytes', new Uint8Array([0, 255, who.length])),
  ({ array, word, at }) => array.insert(at(array.length + 1), [word, at(100), { word }]),
  ({ array, at }) => array.length > 1 && array.delete(at(array.length - 1), 2),
  ({ array }) => array.push([new Y.Array()]),
  ({ array }) => array.forEach((item) => item instanceof Y.Array && item.push(['inner'])),
  ({ xml, word, at }) => {
    const element = new Y.XmlElement('paragraph')
    element.setAttribute('titre', word)
    element.insert(0, [new Y.XmlText(word)])
    xml.insert(at(xml.length + 1), [element])
  },
  ({ xml, who }) => xml.firstChild?.setAttribute('author', who),
  ({ xml }) => xml.firstChild?.firstChild?.insert(0, 'début ', { em: {} }),
  ({ xml, at }) => xml.length > 3 && xml.delete(at(xml.length), 1),
]

/** `position`, or the one before it where that would cut a character of two code units in half. */
function start(text, position) {
  const units = text.toDelta().map(({ insert }) => (typeof insert === 'string' ? insert : '\ufffc')).join('')
  return /[\udc00-\udfff]/.test(units[position]) ? position - 1 : position
}

/** Position and length of a stretch of whole characters that holds `count` code units from `position`. */
function span(text, position, count) {
  const from = start(text, position)
  const end = position + count
  return [from, (start(text, end) === end ? end : end + 1) - from]
}

/** Makes `count` changes to `doc`, each in a transaction of its own. */
export function edit(doc, random, who, count) {
  const at = (n) => Math.floor(random() * n)
  for (let made = 0; made < count; made += 1) {
    const change = EDITS[at(EDITS.length)]
    const word = `${WORDS[at(WORDS.length)]}${who}`
    const shared = { ...roots(doc), word, at, who }
    doc.transact(() => change(shared))
  }
}

/** One change that is sure to add something: `saved()` can be waited for. */
export function add(doc, word) {
  doc.getText('text').insert(0, word)
}

function roots(doc) {
  return {
    text: doc.getText('text'),
    map: doc.getMap('map'),
    array: doc.getArray('array'),
    xml: doc.getXmlFragment('xml'),
  }
}

/**
 * What a reader of `doc` sees, with its formats and attributes. The members of plain objects are
 * sorted: their order is no part of the document, and yrs does not keep it.
 */
export function picture(doc) {
  const { text, map, array, xml } = roots(doc)
  return JSON.stringify({ text: text.toDelta(), map: map.toJSON(), array: array.toJSON(), xml: xml.toString() }, sorted)
}

function sorted(_, value) {
  const plain = typeof value === 'object' && value !== null && !Array.isArray(value)
  return plain ? Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1))) : value
}

/** Whether all documents hold the same inserts and the same deletions. */
export function agree(docs) {
  const [first, ...others] = docs.map((doc) => Y.snapshot(doc))
  return others.every((other) => Y.equalSnapshots(first, other))
}
