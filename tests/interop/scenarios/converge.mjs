// Concurrent edits meet: every client, and whoever comes later, ends up with the same document.
import assert from 'node:assert/strict'
import { until } from '../bell.mjs'
import { KINDS, open } from '../clients.mjs'
import { agree, edit, picture, seeded } from '../content.mjs'

/**
 * Clients of `kinds` write at the same time into text, map, array and XML, `rounds` times.
 * Returns how many different pictures there are in the end, late joiners included.
 */
export async function converge({ url, room, kinds, lateKinds = KINDS, rounds = 4, each = 12, seed = 1 }) {
  const random = seeded(seed)
  const clients = kinds.map((kind) => open(kind, url, room))
  await Promise.all(clients.map((client) => client.ready()))
  for (let round = 0; round < rounds; round += 1) {
    // Nothing is awaited in this loop: each client writes without knowing of the others.
    clients.forEach((client, index) => edit(client.doc, random, `${index}.${round}`, each))
    await until('all clients to agree', () => agree(clients.map(({ doc }) => doc)))
  }
  await Promise.all(clients.filter(({ kind }) => kind.startsWith('hocuspocus')).map((client) => client.saved()))
  const late = lateKinds.map((kind) => open(kind, url, room))
  await Promise.all(late.map((client) => client.ready()))
  const everyone = [...clients, ...late]
  await until('late joiners to agree', () => agree(everyone.map(({ doc }) => doc)))
  const pictures = new Set(everyone.map(({ doc }) => picture(doc)))
  assert.ok([...pictures][0].length > 200, 'the clients wrote something')
  return { pictures: pictures.size, sockets: everyone.map(({ record }) => record.attempts), seed }
}
