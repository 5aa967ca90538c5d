// Real histories through the server: one writer's keystrokes, and two people's with their merges.
import assert from 'node:assert/strict'
import { setImmediate as turn } from 'node:timers/promises'
import * as Y from 'yjs'
import { until } from '../bell.mjs'
import { open } from '../clients.mjs'
import { Gate } from '../sockets.mjs'
import { change, history } from '../traces.mjs'

const OTHER = { 'y-websocket-3': 'hocuspocus-4', 'hocuspocus-4': 'y-websocket-3' }
const IN_FLIGHT = 256 * 1024

/** Types a whole paper, keystroke by keystroke, and reads it with the other client. */
export async function one_writer({ url, room, kind, most = Infinity }) {
  const { source, txns, endContent } = history('automerge-paper')
  const client = open(kind, url, room)
  await client.ready()
  for (const [index, { patches }] of txns.slice(0, most).entries()) {
    change(client.doc, patches)
    // Sockets do their work between the turns; what waits in them stays small.
    if (index % 100 === 99) {
      await turn()
      const socket = client.record.sockets.at(-1)
      while (socket.bufferedAmount > IN_FLIGHT) await turn()
    }
  }
  await client.saved()
  const reader = open(OTHER[kind], url, room)
  await reader.ready()
  const expected = txns.length <= most ? endContent : client.doc.getText('text').toString()
  await until('the reader to have it all', () => reader.doc.getText('text').toString() === expected)
  return { source, keystrokes: Math.min(txns.length, most), equal: client.doc.getText('text').toString() === expected, sockets: client.record.attempts }
}

/**
 * Two people write, each knowing of the other's work exactly what the history says.
 *
 * What a client sends waits in its gate, as on a slow network, until the other one's next
 * keystroke builds on it.
 */
export async function two_writers({ url, room, kinds }) {
  const { source, txns, endContent } = history('friendsforever')
  const gates = [new Gate(), new Gate()]
  const readers = []
  // Who inserts at the same place as the other stands first by the smaller client id, as in the trace.
  const clients = kinds.map((kind, agent) => open(kind, url, room, { clientID: agent + 1 }))
  await Promise.all(clients.map((client) => client.ready()))
  for (const { doc } of clients) assert.equal(doc.getText('text').length, 0, 'a room of its own')
  // The handshake is over: from here on only keystrokes are sent.
  clients.forEach(({ awareness }) => awareness.setLocalState(null))
  await turn()
  clients.forEach(({ record }, agent) => (record.gate = gates[agent]))

  const versions = [] // For each transaction: how many of each agent's it builds on, itself included.
  const written = [[], []] // For each agent's transaction: what of it another document must hold.
  const released = [0, 0]
  let merges = 0
  const let_go = async (agent, count) => {
    if (released[agent] >= count) return
    gates[agent].release(count - released[agent])
    merges += 1
    const news = written[agent].slice(released[agent], count)
    released[agent] = count
    const { doc } = clients[1 - agent]
    await until(`agent ${1 - agent} to hear of transaction ${count}`, () => news.every((traces) => traces(doc)))
  }
  for (const { patches, agent, parents } of txns) {
    const version = [0, 1].map((one) => Math.max(0, ...parents.map((parent) => versions[parent][one])))
    assert.equal(version[agent], written[agent].length)
    await let_go(1 - agent, version[1 - agent])
    const { doc } = clients[agent]
    const held = gates[agent].held
    const transaction = change(doc, patches)
    assert.equal(gates[agent].held, held + 1, 'one frame for each transaction')
    written[agent].push(tracesOf(transaction))
    version[agent] += 1
    versions.push(version)
  }
  await Promise.all([0, 1].map((agent) => let_go(agent, written[agent].length)))
  clients.forEach(({ record }) => (record.gate = null))
  await Promise.all(clients.map((client) => client.saved()))
  for (const kind of kinds) readers.push(open(kind, url, room))
  await Promise.all(readers.map((reader) => reader.ready()))
  const texts = () => [...clients, ...readers].map(({ doc }) => doc.getText('text').toString())
  await until('all to have the final text', () => texts().every((text) => text === endContent), () => texts().map((text) => text.length).join())
  return { source, transactions: txns.length, merges, equal: texts().every((text) => text === endContent) }
}

/** A question to another document: does it hold this transaction's inserts and deletions? */
function tracesOf({ doc, deleteSet }) {
  const { clientID } = doc
  const clock = Y.getState(doc.store, clientID)
  const deleted = [...deleteSet.clients].flatMap(([client, ranges]) =>
    ranges.flatMap(({ clock: from, len }) => [Y.createID(client, from), Y.createID(client, from + len - 1)]),
  )
  return (other) => Y.getState(other.store, clientID) >= clock && deleted.every((id) => Y.getItem(other.store, id).deleted)
}
