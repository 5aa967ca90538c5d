// A server that dies and comes back: what it confirmed is there, what was written meanwhile arrives.
import { until } from '../bell.mjs'
import { open } from '../clients.mjs'
import { add, agree, edit, picture, seeded } from '../content.mjs'

/**
 * Clients write, the server is killed, they go on writing, it comes back.
 * Asks for `kill` and `start`. Returns the number of different pictures, a fresh joiner's included.
 */
export async function offline_edits_survive({ url, room, kinds, seed = 2, ask }) {
  const random = seeded(seed)
  const clients = kinds.map((kind) => open(kind, url, room))
  await Promise.all(clients.map((client) => client.ready()))
  clients.forEach(({ doc }, index) => edit(doc, random, `before ${index}`, 10))
  await until('all to agree before the kill', () => agree(clients.map(({ doc }) => doc)))

  // These are on their way when the server dies: it may have them or not.
  clients.forEach(({ doc }, index) => edit(doc, random, `during ${index}`, 10))
  await ask('kill')
  await until('everyone to notice', () => clients.every(({ synced }) => !synced))
  clients.forEach(({ doc }, index) => {
    edit(doc, random, `offline ${index}`, 10)
    add(doc, `offline ${index};`)
  })
  await ask('start')

  await until('all to agree afterwards', () => agree(clients.map(({ doc }) => doc)), () => JSON.stringify(clients.map(({ kind, record }) => [kind, record.attempts, record.closes])))
  await Promise.all(clients.map((client) => client.saved()))
  const late = open(kinds[0], url, room)
  await late.ready()
  await until('the late joiner to agree', () => agree([late.doc, clients[0].doc]))
  const text = late.doc.getText('text').toString()
  return {
    pictures: new Set([...clients, late].map(({ doc }) => picture(doc))).size,
    missing: clients.map((_, index) => `offline ${index};`).filter((word) => !text.includes(word)),
    seed,
  }
}

/**
 * Clients write until the server confirmed everything, all leave, the server is killed.
 * Asks for `kill` and `start`. Returns whether a fresh client sees the same picture.
 */
export async function confirmed_edits_survive({ url, room, kinds, seed = 3, ask }) {
  const random = seeded(seed)
  const clients = kinds.map((kind) => open(kind, url, room))
  await Promise.all(clients.map((client) => client.ready()))
  clients.forEach(({ doc }, index) => edit(doc, random, `${index}`, 20))
  await until('all to agree', () => agree(clients.map(({ doc }) => doc)))
  clients.forEach(({ doc }, index) => add(doc, `last word of ${index}`))
  await until('all to agree on the last words', () => agree(clients.map(({ doc }) => doc)))
  await Promise.all(clients.map((client) => client.saved()))
  const before = picture(clients[0].doc)
  await ask('kill')
  clients.forEach((client) => client.destroy())
  await ask('start')
  const late = open(kinds[0], url, room)
  await late.ready()
  await until('the same picture', () => picture(late.doc) === before, () => `${picture(late.doc)}\nexpected\n${before}`)
  return { same: true, seed }
}

/**
 * Edits that cut a character of two code units in half, as naive editors make them: Yjs shows a
 * replacement character, and so must everyone who comes later. Asks for `kill` and `start`.
 * Returns the texts that a client saw, a late joiner saw, and one saw after the restart.
 */
export async function half_a_character({ url, room, kind, ask }) {
  const cuts = {
    insert: (text) => text.insert(1, 'X'),
    first: (text) => text.delete(0, 1),
    second: (text) => text.delete(1, 1),
  }
  const seen = {}
  const writers = {}
  for (const [name, cut] of Object.entries(cuts)) {
    const writer = (writers[name] = open(kind, url, `${room}/${name}`))
    const witness = open('y-websocket-3', url, `${room}/${name}`)
    await Promise.all([writer.ready(), witness.ready()])
    const text = writer.doc.getText('text')
    text.insert(0, '🦊ab')
    await writer.saved()
    cut(text)
    text.insert(text.length, '.')
    await writer.saved()
    await until('the witness to agree', () => agree([writer.doc, witness.doc]))
    const late = open('y-websocket-3', url, `${room}/${name}`)
    await late.ready()
    await until('the late joiner to agree', () => agree([writer.doc, late.doc]), () => late.doc.getText('text').toString())
    seen[name] = [writer, witness, late].map(({ doc }) => doc.getText('text').toString())
  }
  await ask('kill')
  Object.values(writers).forEach((writer) => writer.destroy())
  await ask('start')
  for (const [name, writer] of Object.entries(writers)) {
    const after = open('y-websocket-1', url, `${room}/${name}`)
    await after.ready()
    await until('the one after the restart to agree', () => agree([writer.doc, after.doc]), () => after.doc.getText('text').toString())
    seen[name].push(after.doc.getText('text').toString())
  }
  return seen
}

/**
 * Clients edit one text by code units, without a look at characters, so often that the server makes
 * a snapshot on the way. Asks for `kill` and `start`. Returns how many different pictures there are
 * in the end, a late joiner's and one's after the restart included, and replacement characters.
 */
export async function careless_edits({ url, room, kinds, rounds, seed = 4, ask }) {
  const random = seeded(seed)
  const below = (bound) => Math.floor(random() * bound)
  const pieces = ['🦊', '🦝', 'a', '🦊🦊b', 'é', '👩‍👧', ' ']
  const clients = kinds.map((kind) => open(kind, url, room))
  await Promise.all(clients.map((client) => client.ready()))
  const careless = (text) => {
    const at = below(text.length + 1)
    // No formats: one that changes nothing cuts a character for its own client only, in Yjs itself.
    if (below(text.length > 400 ? 2 : 4) < 2) text.delete(at, Math.min(1 + below(6), text.length - at))
    else text.insert(at, pieces[below(pieces.length)])
  }
  for (let round = 0; round < rounds; round++) {
    for (const { doc } of clients) for (let count = 0; count < 10; count++) careless(doc.getText('text'))
    if (round % 10 === 9) await until('all to agree', () => agree(clients.map(({ doc }) => doc)))
  }
  for (const { doc } of clients) doc.getText('text').insert(0, '.')
  await until('all to agree', () => agree(clients.map(({ doc }) => doc)))
  await Promise.all(clients.map((client) => client.saved()))
  const [first] = clients
  const late = open('y-websocket-3', url, room)
  await late.ready()
  await until('the late joiner to agree', () => agree([first.doc, late.doc]))
  await ask('kill')
  clients.forEach((client) => client.destroy())
  late.destroy()
  await ask('start')
  const after = open('hocuspocus-4', url, room)
  await after.ready()
  await until('the one after the restart to agree', () => agree([first.doc, after.doc]))
  const pictures = new Set([...clients, late, after].map(({ doc }) => picture(doc))).size
  return { pictures, replaced: after.doc.getText('text').toString().split('\ufffd').length - 1, seed }
}
