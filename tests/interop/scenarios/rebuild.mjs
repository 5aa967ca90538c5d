// A document that is rebuilt while some are away: nothing is doubled, and nobody's work is lost.
import * as Y from 'yjs'
import { until } from '../bell.mjs'
import { open } from '../clients.mjs'
import { add, agree, edit, picture, seeded } from '../content.mjs'

const RELOAD = 4409

/**
 * Two clients write; one goes offline and goes on writing, with its document; the room is rebuilt
 * (asks for `rebuild`); it comes back. Returns what it then has, how it was closed, and the
 * pictures of the document before and after, as fresh clients of each kind see it.
 */
export async function away({ url, room, kinds, seed = 5, ask }) {
  const random = seeded(seed)
  const here = open('y-websocket-3', url, room)
  await here.ready()
  const clients = kinds.map((kind) => open(kind, url, room))
  await Promise.all(clients.map((client) => client.ready()))
  ;[here, ...clients].forEach(({ doc }, index) => edit(doc, random, `${index}`, 15))
  add(here.doc, 'the end;')
  await until('all to agree', () => agree([here, ...clients].map(({ doc }) => doc)))
  clients.forEach(({ doc }) => add(doc, '.'))
  add(here.doc, '.')
  await until('all to agree on the last letters', () => agree([here, ...clients].map(({ doc }) => doc)))
  await Promise.all([here, ...clients].map((client) => client.saved()))
  const before = picture(here.doc)

  clients.forEach((client) => client.disconnect())
  await until('everyone to have left', () => clients.every(({ synced }) => !synced))
  clients.forEach(({ kind, doc }) => add(doc, `${kind} was away;`))
  const held = clients.map(({ doc }) => Y.encodeStateVector(doc).join())
  await ask('rebuild')
  await until('who was there to be told', () => here.record.closes.includes(RELOAD))

  clients.forEach((client) => client.connect())
  const told = (client) => client.record.closes.includes(RELOAD)
  await until('everyone to be told', () => clients.every(told), () => JSON.stringify(clients.map(({ record }) => record.closes)))
  await ask('look')
  ;[here, ...clients].forEach((client) => client.destroy())

  const fresh = kinds.map((kind) => open(kind, url, room))
  await Promise.all(fresh.map((client) => client.ready()))
  const after = fresh.map(({ doc }) => picture(doc))
  fresh.forEach(({ doc }, index) => edit(doc, random, `${index}`, 5))
  fresh.forEach(({ doc }, index) => add(doc, `${index};`))
  await until('all to agree in the new life', () => agree(fresh.map(({ doc }) => doc)))
  await Promise.all(fresh.map((client) => client.saved()))
  return {
    same: after.every((each) => each === before),
    untouched: clients.every(({ doc }, index) => Y.encodeStateVector(doc).join() === held[index]),
    pictures: new Set(fresh.map(({ doc }) => picture(doc))).size,
  }
}

/**
 * A client whose device fills the document only when it has synced, as with y-indexeddb. Asks for
 * `rebuild`. Returns what a fresh client sees.
 */
export async function read_too_late({ url, room, kind, ask }) {
  const first = open(kind, url, room)
  await first.ready()
  add(first.doc, 'once;')
  await first.saved()
  const device = Y.encodeStateAsUpdate(first.doc)
  first.destroy()
  await ask('rebuild')
  const again = open(kind, url, room)
  await again.ready()
  Y.applyUpdate(again.doc, device)
  await until('it to be told', () => again.record.closes.includes(RELOAD))
  again.destroy()
  const fresh = open(kind, url, room)
  await fresh.ready()
  return fresh.doc.getText('text').toString()
}
