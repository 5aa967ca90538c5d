// Several documents, and several sessions of one document, on one Hocuspocus socket.
import { until } from '../bell.mjs'
import { open, openSocket } from '../clients.mjs'
import { add, agree } from '../content.mjs'
import { Record } from '../sockets.mjs'

/** Two documents on one socket: neither sees the other, and one may leave without the other. */
export async function two_documents({ url, room, kind }) {
  const record = new Record()
  const socket = openSocket(kind, url, record)
  const rooms = [`${room}/a`, `${room}/b`]
  const [a, b] = rooms.map((name) => open(kind, url, name, { socket }))
  const [otherA, otherB] = rooms.map((name) => open('hocuspocus-4', url, name))
  const everyone = [a, b, otherA, otherB]
  await Promise.all(everyone.map((client) => client.ready()))
  everyone.forEach(({ doc }, index) => add(doc, `${index};`))
  await until('both documents to agree', () => agree([a.doc, otherA.doc]) && agree([b.doc, otherB.doc]))
  await Promise.all(everyone.map((client) => client.saved()))
  a.awareness.setLocalState({ at: 'a' })
  b.awareness.setLocalState({ at: 'b' })
  await until('each presence in its document', () => otherA.awareness.getStates().get(a.doc.clientID)?.at === 'a' && otherB.awareness.getStates().get(b.doc.clientID)?.at === 'b')

  a.provider.destroy()
  await until('the one that left to disappear', () => !otherA.awareness.getStates().has(a.doc.clientID))
  add(otherB.doc, 'still here;')
  await until('the other document to go on', () => agree([b.doc, otherB.doc]))
  add(b.doc, 'and writing;')
  await b.saved()
  await until('its last words to arrive', () => agree([b.doc, otherB.doc]))
  const letters = (doc) => doc.getText('text').toString().split(';').filter(Boolean).sort()
  return {
    sockets: record.attempts,
    closes: record.closes,
    a: letters(otherA.doc),
    b: letters(otherB.doc),
    crossed: otherA.awareness.getStates().has(b.doc.clientID) || otherB.awareness.getStates().has(a.doc.clientID),
  }
}

/** Two sessions of one document on one socket (version 4 with `sessionAwareness`). */
export async function two_sessions({ url, room }) {
  const record = new Record()
  const socket = openSocket('hocuspocus-4', url, record)
  const sessions = [1, 2].map(() => open('hocuspocus-4', url, room, { socket, sessionAwareness: true }))
  const witness = open('hocuspocus-3', url, room)
  const everyone = [...sessions, witness]
  await Promise.all(everyone.map((client) => client.ready()))
  everyone.forEach(({ doc, awareness }, index) => {
    add(doc, `${index};`)
    awareness.setLocalState({ session: index })
  })
  await until('all to agree', () => agree(everyone.map(({ doc }) => doc)))
  await Promise.all(everyone.map((client) => client.saved()))
  await until('all to see each other', () => everyone.every(({ awareness }) => everyone.every(({ doc }, index) => awareness.getStates().get(doc.clientID)?.session === index)))

  const [first, second] = sessions
  first.provider.destroy()
  await until('the first session to disappear', () => [second, witness].every(({ awareness }) => !awareness.getStates().has(first.doc.clientID)))
  add(second.doc, 'after;')
  await second.saved()
  await until('the second session to go on', () => agree([second.doc, witness.doc]))
  return { sockets: record.attempts, closes: record.closes, text: witness.doc.getText('text').toString().split(';').filter(Boolean).sort() }
}
