// The past in the hands of Yjs itself: what a copy of it makes of a log, and of a way back.
import { readFileSync } from 'node:fs'
import * as Y from 'yjs'

const bytes = (hex) => new Uint8Array(Buffer.from(hex, 'hex'))
const cases = (file) => JSON.parse(readFileSync(file, 'utf8'))

/** The logs, with what Yjs itself adds when it tidies formats up after somebody else's change. */
export function tidied({ file }) {
  return cases(file).map(({ rows }) => {
    const doc = copy([])
    const log = []
    doc.on('update', (update, origin) => {
      if (origin !== 'server') log.push(Buffer.from(update).toString('hex'))
    })
    for (const row of rows) {
      const at = log.length
      Y.applyUpdate(doc, bytes(row), 'server')
      log.splice(at, 0, row)
    }
    return log
  })
}

/** How many copies say after the update `back` something else than they said after `at` rows. */
export function astray({ file }) {
  return cases(file).filter(({ rows, at, back }) => said(copy([...rows, back])) !== said(copy(rows.slice(0, at)))).length
}

function copy(updates) {
  const doc = new Y.Doc()
  doc.getText('text')
  doc.getArray('list')
  doc.getMap('map')
  doc.getXmlFragment('xml')
  for (const update of updates) Y.applyUpdate(doc, bytes(update))
  return doc
}

function said(doc) {
  const plain = [doc.getArray('list').toJSON(), doc.getMap('map').toJSON()]
  return JSON.stringify([runs(doc.getText('text')), sorted(plain), xml(doc.getXmlFragment('xml'))])
}

/** Texts with their formats, equal neighbours joined. */
function runs(text) {
  const joined = []
  for (const { insert, attributes } of text.toDelta()) {
    const formats = JSON.stringify(sorted(attributes ?? {}))
    if (joined.at(-1)?.[1] === formats) joined.at(-1)[0] += insert
    else joined.push([insert, formats])
  }
  return joined
}

function xml(part) {
  if (part instanceof Y.XmlText) return runs(part)
  const children = part.toArray().map(xml)
  return part instanceof Y.XmlElement ? [part.nodeName, sorted(part.getAttributes()), children] : children
}

function sorted(value) {
  if (Array.isArray(value)) return value.map(sorted)
  if (typeof value !== 'object' || value === null) return value
  return Object.entries(value)
    .sort(([one], [other]) => (one < other ? -1 : 1))
    .map(([key, each]) => [key, sorted(each)])
}
