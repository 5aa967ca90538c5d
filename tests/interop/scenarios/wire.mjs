// What goes over the wire, looked at byte by byte: order, frames, echoes and acknowledgements.
import * as Y from 'yjs'
import { until } from '../bell.mjs'
import { open } from '../clients.mjs'
import { add } from '../content.mjs'
import {
  awarenessBody,
  hocuspocusMessage,
  hocuspocusToken,
  RawSocket,
  readAwareness,
  readHocuspocus,
  readYjs,
  yjsMessage,
} from '../raw.mjs'

const EMPTY = new Uint8Array([0])
const NOTHING_NEW = new Uint8Array([0, 0])

/** An update that inserts `text` into a fresh document's `text`. */
function updateWith(text) {
  const doc = new Y.Doc()
  add(doc, text)
  return Y.encodeStateAsUpdate(doc)
}

/** A stock client with content and a presence, so that a joiner has something to be told. */
async function resident(kind, url, room) {
  const client = open(kind, url, room)
  await client.ready()
  client.awareness.setLocalState({ note: 'résidente' })
  add(client.doc, 'already here; ')
  return client
}

/** Bursts of edits and cursor moves, so that the server has reasons to combine. */
async function busy(client, raw) {
  for (let burst = 0; burst < 10; burst += 1) {
    for (let edit = 0; edit < 30; edit += 1) add(client.doc, `${burst}.${edit} `)
    client.awareness.setLocalState({ note: 'résidente', burst })
    const seen = ({ name, body }) => name === 'Awareness' && readAwareness(body).get(client.doc.clientID)?.state?.burst === burst
    await raw.first(`burst ${burst}`, seen)
  }
}

/** Applies what a raw socket received and says what its text is. */
function textOf(messages) {
  const doc = new Y.Doc()
  for (const { name, body } of messages) if (name === 'SyncStep2' || name === 'Update') Y.applyUpdate(doc, body)
  return doc.getText('text').toString()
}

export async function y_websocket({ url, room }) {
  const client = await resident('y-websocket-3', url, room)
  const raw = new RawSocket(`${url}/yjs/${room}`, readYjs)
  await raw.opened()

  // Three messages in one frame: all of them count.
  raw.send(
    yjsMessage('SyncStep1', EMPTY),
    yjsMessage('Update', updateWith('all in one frame; ')),
    yjsMessage('Awareness', awarenessBody(77, 1, { note: 'brut' })),
  )
  await raw.first('SyncStep2', ({ name }) => name === 'SyncStep2')
  await until('the update in the shared frame', () => client.doc.getText('text').toString().includes('all in one frame'))
  await until('the awareness in the shared frame', () => client.awareness.getStates().get(77)?.note === 'brut')
  const names = raw.messages.map(({ name }) => name)

  const echo = await raw.first('the echo of its awareness', ({ name, body }) => name === 'Awareness' && readAwareness(body).has(77))
  const told = await raw.first('the presence of the resident', ({ name, body }) => name === 'Awareness' && readAwareness(body).has(client.doc.clientID))

  await busy(client, raw)
  await client.saved()
  const asked = raw.messages.length
  raw.send(yjsMessage('QueryAwareness'))
  const answer = await raw.first('an answer to the query', ({ name }) => name === 'Awareness', asked)

  await until('the whole text', () => textOf(raw.messages) === client.doc.getText('text').toString())
  return {
    step1_first: names.includes('SyncStep1') && names.indexOf('SyncStep1') < names.indexOf('SyncStep2'),
    echoed: readAwareness(echo.body).get(77).state.note,
    told: readAwareness(told.body).get(client.doc.clientID).state.note,
    answered: [...readAwareness(answer.body).values()].map(({ state }) => state?.note).sort(),
    frames_with_more_than_one_message: raw.all(({ left }) => left > 0).length,
    closed: raw.closed,
  }
}

export async function hocuspocus({ url, room }) {
  const client = await resident('hocuspocus-4', url, room)
  const raw = new RawSocket(`${url}/hocuspocus`, readHocuspocus)
  await raw.opened()
  const address = `${room}\0sitzung-é`
  const send = (name, body) => raw.send(hocuspocusMessage(address, name, body))
  const statuses = () => raw.all(({ name }) => name === 'SyncStatus').map(({ applied }) => applied)

  raw.send(hocuspocusToken(address, ''))
  send('SyncStep1', EMPTY)
  send('Awareness', awarenessBody(78, 1, { note: 'brut' }))
  await raw.first('authentication', ({ name }) => name === 'Authenticated')
  await raw.first('SyncStep2', ({ name }) => name === 'SyncStep2')
  const names = raw.messages.map(({ name }) => name)
  const echo = await raw.first('the echo of its awareness', ({ name, body }) => name === 'Awareness' && readAwareness(body).has(78))

  // Owed: one for the answer to SyncStep1, one for each of five updates, one for a repeated one.
  const updates = [1, 2, 3, 4, 5].map((n) => updateWith(`update ${n}; `))
  send('SyncStep2', NOTHING_NEW)
  for (const update of updates) send('Update', update)
  send('Update', updates[0])
  await until('seven statuses', () => statuses().length >= 7)
  await until('the updates at the other client', () => client.doc.getText('text').toString().includes('update 5; '))

  // Other people's updates are not counted; nor is a question.
  await busy(client, raw)
  await client.saved()
  const asked = raw.messages.length
  send('QueryAwareness')
  const answer = await raw.first('an answer to the query', ({ name }) => name === 'Awareness', asked)
  const before = statuses()
  send('Update', updateWith('the last; '))
  await until('one status more', () => statuses().length > before.length)
  const after = raw.messages.length
  send('QueryAwareness')
  await raw.first('an answer to the last query', ({ name }) => name === 'Awareness', after)

  return {
    step1_first: names.includes('SyncStep1') && names.indexOf('SyncStep1') < names.indexOf('SyncStep2'),
    authenticated_first: names[0] === 'Authenticated',
    echoed: readAwareness(echo.body).get(78).state.note,
    answered: [...readAwareness(answer.body).values()].map(({ state }) => state?.note).sort(),
    statuses: [before, statuses()],
    other_addresses: raw.all((message) => message.address !== address).length,
    frames_with_more_than_one_message: raw.all(({ left }) => left > 0).length,
    closed: raw.closed,
  }
}
