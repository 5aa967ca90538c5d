// Writes ../lib0.json, ../yjs.json, ../awareness.json and ../hocuspocus.json: what stock clients
// and servers put on the wire, made by their own libraries, and what no reader may take.
//
// Every vector has its bytes in hexadecimal. What is listed as malformed must be refused.

import { writeFileSync } from 'node:fs'
import { HocuspocusProvider, HocuspocusProviderWebsocket } from '@hocuspocus/provider'
import * as v2 from '@hocuspocus/provider-v2'
import * as v3 from '@hocuspocus/provider-v3'
import { OutgoingMessage } from '@hocuspocus/server'
import * as decoding from 'lib0/decoding'
import * as encoding from 'lib0/encoding'
import * as auth from 'y-protocols/auth'
import { Awareness, encodeAwarenessUpdate } from 'y-protocols/awareness'
import * as sync from 'y-protocols/sync'
import * as Y from 'yjs'

const hex = bytes => Buffer.from(bytes).toString('hex')
const unhex = text => new Uint8Array(Buffer.from(text.replaceAll(' ', ''), 'hex'))

const encode = write => {
  const encoder = encoding.createEncoder()
  write(encoder)
  return hex(encoding.toUint8Array(encoder))
}

// One vector a line.
const write = (name, about, groups) => {
  const flat = value => Array.isArray(value)
    ? `[\n${value.map(each => JSON.stringify(each)).join(',\n')}\n]`
    : `{\n${Object.entries(value).map(([key, list]) => `${JSON.stringify(key)}: ${flat(list)}`).join(',\n')}\n}`
  const parts = Object.entries(groups).map(([key, value]) => `${JSON.stringify(key)}: ${flat(value)}`)
  writeFileSync(new URL(`../${name}.json`, import.meta.url), `{\n"about": ${JSON.stringify(about)},\n${parts.join(',\n')}\n}\n`)
}

const TOO_LONG = 'ff'.repeat(8) + '00'
const TOO_LARGE = 'ff'.repeat(7) + '7f'

// lib0

const uints = [0, 1, 127, 128, 129, 255, 256, 16383, 16384, 2 ** 31 - 1, 2 ** 31, 2 ** 32 - 1, 2 ** 32, 2 ** 49 - 1, 2 ** 49, 2 ** 53 - 2, 2 ** 53 - 1]
const ints = [0, 1, -1, 63, -63, 64, -64, 8191, -8191, 8192, -8192, 2 ** 31, -(2 ** 31), 2 ** 53 - 1, -(2 ** 53 - 1)]
const strings = ['', 'a', 'é', '漢字', '😀', '👩‍👩‍👧', '\u0000', '\ufeffBOM', 'x'.repeat(127), 'é'.repeat(64), 'x'.repeat(300)]
const buffers = [[], [0], [255, 0, 128], Array.from({ length: 200 }, (_, i) => i)].map(list => Uint8Array.from(list))

write('lib0', 'lib0 0.2.117. SPEC.md section 10.', {
  var_uint: uints.map(value => ({ value, bytes: encode(e => encoding.writeVarUint(e, value)) })),
  var_int: ints.map(value => ({ value, bytes: encode(e => encoding.writeVarInt(e, value)) })),
  var_bytes: buffers.map(value => ({ value: hex(value), bytes: encode(e => encoding.writeVarUint8Array(e, value)) })),
  var_string: strings.map(value => ({ value, bytes: encode(e => encoding.writeVarString(e, value)) })),
  malformed: {
    var_uint: ['', '80', 'ffffff', TOO_LONG, TOO_LARGE],
    var_int: ['', '80', 'c0', 'ff'.repeat(8) + '00', 'bf' + 'ff'.repeat(6) + '7f'],
    var_bytes: ['', '01', '02aa', '80', 'ffffffff0f00', TOO_LARGE],
    var_string: ['', '0161'.slice(0, 2), '01ff', '02c328', '03eda080', '02c080', '04f4908080', '01c3']
  }
})

// y-protocols

const doc = new Y.Doc()
doc.clientID = 5
const updates = []
doc.on('update', update => updates.push(update))
doc.getText('t').insert(0, 'hé😀')
doc.getText('t').delete(0, 1)
const other = new Y.Doc()
other.clientID = 4_000_000_007
Y.applyUpdate(other, Y.encodeStateAsUpdate(doc))
other.getMap('m').set('k', 1)
const empty = new Y.Doc()
const vector = hex(Y.encodeStateVector(other))
const update = hex(updates[0])
const whole = hex(Y.encodeStateAsUpdate(other))

const newAwareness = (client, ...states) => {
  const owner = new Y.Doc()
  owner.clientID = client
  const awareness = new Awareness(owner)
  for (const state of states) awareness.setLocalState(state)
  return awareness
}
const ann = newAwareness(5, { user: { name: 'Ann é😀', color: '#ff8800' }, cursor: null })
const bob = newAwareness(4_000_000_007, { n: 1 }, null)
const joined = encodeAwarenessUpdate(ann, [5])
const left = encodeAwarenessUpdate(bob, [4_000_000_007])

const message = (type, write) => e => {
  encoding.writeVarUint(e, type)
  write(e)
}
const messages = [
  { message: { type: 'sync_step1', state_vector: '00' }, write: message(0, e => sync.writeSyncStep1(e, empty)) },
  { message: { type: 'sync_step1', state_vector: vector }, write: message(0, e => sync.writeSyncStep1(e, other)) },
  { message: { type: 'sync_step2', update: '0000' }, write: message(0, e => sync.writeSyncStep2(e, empty)) },
  { message: { type: 'sync_step2', update: whole }, write: message(0, e => sync.writeSyncStep2(e, other)) },
  { message: { type: 'update', update }, write: message(0, e => sync.writeUpdate(e, updates[0])) },
  { message: { type: 'awareness', payload: hex(joined) }, write: message(1, e => encoding.writeVarUint8Array(e, joined)) },
  { message: { type: 'permission_denied', reason: 'no à toi' }, write: message(2, e => auth.writePermissionDenied(e, 'no à toi')) },
  { message: { type: 'query_awareness' }, write: message(3, () => {}) }
].map(({ message, write }) => ({ message, bytes: encode(write) }))

write('yjs', 'y-protocols 1.0.7 and yjs 13.6.30: y-websocket frames and state vectors. SPEC.md section 11.', {
  messages,
  frames: [
    { messages: [messages[0].message, messages[5].message], bytes: messages[0].bytes + messages[5].bytes },
    { messages: messages.map(each => each.message), bytes: messages.map(each => each.bytes).join('') }
  ],
  state_vectors: [
    { clocks: {}, bytes: hex(Y.encodeStateVector(empty)) },
    { clocks: Object.fromEntries(Y.decodeStateVector(Y.encodeStateVector(doc))), bytes: hex(Y.encodeStateVector(doc)) },
    { clocks: Object.fromEntries(Y.decodeStateVector(Y.encodeStateVector(other))), bytes: hex(Y.encodeStateVector(other)) },
    { clocks: { [2 ** 53 - 1]: 2 ** 31, 0: 1 }, bytes: hex(Y.encodeStateVector(new Map([[2 ** 53 - 1, 2 ** 31], [0, 1]]))) }
  ],
  malformed: {
    frames: ['', '00', '0000', '000001', '000003aabb', '0003', '000300', '01', '0102aa', '02', '0201', '0200', '020002c328', '04', '0466', '7f', 'ff', messages[0].bytes + '05', TOO_LONG],
    state_vectors: ['', '01', '0105', '02050105', '020501 0502'.replace(' ', ''), '0000', 'ffffffffffffff0f', '0105' + TOO_LARGE]
  }
})

// Awareness

const crowd = new Map([[5, { user: 'Ann' }], [7, { a: [1, null, { b: 'é' }] }]])
const many = newAwareness(5, { x: 1 }, { x: 2 })
many.meta.set(7, { clock: 300, lastUpdated: 0 })
many.meta.set(9, { clock: 2, lastUpdated: 0 })
write('awareness', 'y-protocols 1.0.7. A state is JSON as a text, or null for a client that has left. SPEC.md section 11.2.', {
  updates: [
    { entries: [], bytes: '00' },
    { entries: [{ client: 5, clock: 1, state: JSON.stringify(ann.getLocalState()) }], bytes: hex(joined) },
    { entries: [{ client: 4_000_000_007, clock: 2, state: null }], bytes: hex(left) },
    {
      entries: [
        { client: 5, clock: 2, state: JSON.stringify(crowd.get(5)) },
        { client: 7, clock: 300, state: JSON.stringify(crowd.get(7)) },
        { client: 9, clock: 2, state: null }
      ],
      bytes: hex(encodeAwarenessUpdate(many, [5, 7, 9], crowd))
    }
  ],
  states: ['{}', '{"a":{"b":[1,-2.5e3,"é😀",null,true]}}', ' {"spaced" : 1 } ', '{"half an emoji":"\\ud83d"}'].map(state => ({ state })),
  malformed: {
    updates: ['', '01', '0105', '010500', '01050002', '010500027b', '01050001ff', '0100', '0000', 'e907', '0105000462756c6c00'],
    states: ['', 'x', '1', '[]', '"text"', 'null', 'true', '{', '{"a":NaN}', '{"a":Infinity}', '{"a":-Infinity}', '{"a":1e999}', "{'a':1}", '{"a":1,}', '{} {}', '{"a":"\u0001"}', `{"a":${'['.repeat(100)}${']'.repeat(100)}}`, `{"a":${'1'.repeat(5000)}}`]
  }
})

// Hocuspocus

// Says what a frame holds, for the vector, as the sources of @hocuspocus read it.
const describe = (bytes, fromServer) => {
  const decoder = decoding.createDecoder(bytes)
  if (bytes.length === 1) return { message: { type: bytes[0] === 9 ? 'ping' : 'pong' } }
  const address = decoding.readVarString(decoder)
  const text = () => decoding.readVarString(decoder)
  const blob = () => hex(decoding.readVarUint8Array(decoder))
  const type = decoding.readVarUint(decoder)
  const readSync = () => {
    const step = decoding.readVarUint(decoder)
    return [['sync_step1', 'state_vector'], ['sync_step2', 'update'], ['update', 'update']].map(([type, field]) => ({ type, field }))[step]
  }
  const syncMessage = () => {
    const { type, field } = readSync()
    return { type, [field]: blob() }
  }
  const authMessage = () => {
    const kind = decoding.readVarUint(decoder)
    if (kind === 1) return { type: 'permission_denied', reason: text() }
    if (kind === 2) return { type: 'authenticated', scope: text() }
    if (fromServer) return { type: 'token_request' }
    return { type: 'token', token: text(), provider_version: decoding.hasContent(decoder) ? text() : null }
  }
  const read = {
    0: syncMessage,
    1: () => ({ type: 'awareness', payload: blob() }),
    2: authMessage,
    3: () => ({ type: 'query_awareness' }),
    4: () => ({ type: 'sync_reply', message: syncMessage() }),
    5: () => ({ type: 'stateless', payload: text() }),
    6: () => ({ type: 'broadcast_stateless', payload: text() }),
    7: () => ({ type: 'close', reason: fromServer ? text() : '' }),
    8: () => ({ type: 'sync_status', applied: decoding.readVarInt(decoder) === 1 })
  }[type]
  const result = { address, message: read ? read() : { type: 'unknown', kind: type } }
  if (read && decoding.hasContent(decoder)) throw new Error(`left over in ${hex(bytes)}`)
  return result
}

// A socket that is open at once and keeps what is sent.
class Socket {
  static last
  readyState = 1
  sent = []
  listeners = {}

  constructor () {
    Socket.last = this
  }

  addEventListener (name, listener) {
    (this.listeners[name] ??= []).push(listener)
  }

  removeEventListener (name, listener) {
    this.listeners[name] = (this.listeners[name] ?? []).filter(each => each !== listener)
  }

  send (bytes) {
    this.sent.push(new Uint8Array(bytes))
  }

  close () {}

  emit (name, event) {
    for (const listener of this.listeners[name] ?? []) listener(event)
  }

  receive (bytes) {
    this.emit('message', { data: bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length) })
  }
}

const settle = () => new Promise(resolve => setTimeout(resolve, 20))

const session = async (version, { Provider, ProviderWebsocket, name, token, sessionId }) => {
  const mine = new Y.Doc()
  mine.clientID = 77
  mine.getText('t').insert(0, 'x')
  const websocketProvider = new ProviderWebsocket({ url: 'ws://127.0.0.1', WebSocketPolyfill: Socket, connect: false, autoConnect: false, broadcast: false })
  const provider = new Provider({ websocketProvider, name, token, document: mine, broadcast: false, sessionAwareness: sessionId !== undefined })
  if (sessionId) provider.sessionId = sessionId
  provider.attach?.()
  void websocketProvider.connect()
  await settle()
  const socket = Socket.last
  socket.emit('open', {})
  await settle()
  const address = provider.effectiveName ?? name
  const out = () => new OutgoingMessage(address)
  socket.receive(out().writeAuthenticated(false).toUint8Array())
  await settle()
  socket.receive(out().createSyncMessage().writeFirstSyncStepFor(empty).toUint8Array())
  socket.receive(out().writeQueryAwareness().toUint8Array())
  if (version !== 'v2') socket.receive(out().writeTokenSyncRequest().toUint8Array())
  if (version === 'v4') socket.receive(Uint8Array.of(9))
  await settle()
  mine.getText('t').insert(1, 'é')
  provider.setAwarenessField('user', { name: 'Zoë 😀' })
  provider.sendStateless('{"plain":"tëxt"}')
  provider.forceSync()
  await settle()
  const frames = [...socket.sent]
  provider.destroy()
  frames.push(...socket.sent.slice(frames.length))
  websocketProvider.destroy()
  return frames.map(bytes => ({ provider: version, ...describe(bytes, false), bytes: hex(bytes) }))
}

const current = { Provider: HocuspocusProvider, ProviderWebsocket: HocuspocusProviderWebsocket }
const fromClient = [
  ...await session('v2', { Provider: v2.HocuspocusProvider, ProviderWebsocket: v2.HocuspocusProviderWebsocket, name: 'doc', token: 't' }),
  ...await session('v3', { Provider: v3.HocuspocusProvider, ProviderWebsocket: v3.HocuspocusProviderWebsocket, name: 'docs/é', token: 'a.b.c' }),
  ...await session('v4', { ...current, name: 'doc', token: null }),
  ...await session('v4', { ...current, name: 'plain/a/b:part', token: 'jeton é', sessionId: 'k2j4h5g6' })
]

const server = (address, make) => {
  const bytes = make(new OutgoingMessage(address)).toUint8Array()
  return { ...describe(bytes, true), bytes: hex(bytes) }
}
const fromServer = ['doc', 'docs/é\0k2j4h5g6'].flatMap(address => [
  server(address, out => out.writeAuthenticated(false)),
  server(address, out => out.writeAuthenticated(true)),
  server(address, out => out.writePermissionDenied('permission-denied')),
  server(address, out => out.writeTokenSyncRequest()),
  server(address, out => out.createSyncMessage().writeFirstSyncStepFor(other)),
  server(address, out => out.createSyncMessage().writeUpdate(updates[0])),
  server(address, out => out.createAwarenessUpdateMessage(ann)),
  server(address, out => out.writeQueryAwareness()),
  server(address, out => out.writeStateless('{"é":1}')),
  server(address, out => out.writeSyncStatus(true)),
  server(address, out => out.writeSyncStatus(false)),
  server(address, out => out.writeCloseMessage('Reset Connection'))
])
fromServer.push({ message: { type: 'ping' }, bytes: '09' })

const between = [
  server('doc', out => out.createSyncReplyMessage().writeFirstSyncStepFor(other)),
  server('doc', out => out.writeBroadcastStateless('to all'))
].map(({ address, message, bytes }) => ({ address, message, bytes }))

const unknown = ['03646f630b', '03646f637fffee', '03646f638001'].map(bytes => ({ address: 'doc', message: describe(unhex(bytes), false).message, bytes }))

const either = ['', '00', '01', '08', '0b', 'ff', '0361', '03646f63', '01ff00', '03646f6380', '03646f6300', '03646f630003', '03646f63000300', '03646f63000002aa', '03646f6301', '03646f630102aa', '03646f6302', '03646f6305', '03646f630502c3', TOO_LONG]
write('hocuspocus', 'Frames that @hocuspocus/provider 2.15.3, 3.4.4 and 4.8.0 sent to a socket, and frames of @hocuspocus/server 4.7.0. Messages between servers must be readable where a client sends them, to be refused by name. SPEC.md section 12.', {
  from_client: fromClient,
  from_server: fromServer,
  between_servers: between,
  unknown,
  malformed: {
    from_client: [...either, '03646f630200', '03646f6302000161ff', '03646f630201', '03646f6304', '03646f630401', '03646f6306'],
    from_server: [...either, '03646f630201', '03646f630203', '03646f6307', '03646f6308']
  }
})

for (const awareness of [ann, bob, many]) awareness.destroy()
console.log(`${fromClient.length} frames from clients, ${fromServer.length} from servers`)
process.exit(0)
