// A bare websocket that speaks y-websocket or Hocuspocus byte by byte (no client library between).
import * as decoding from 'lib0/decoding'
import * as encoding from 'lib0/encoding'
import { WebSocket } from 'ws'
import { ring, until } from './bell.mjs'

const SYNC = ['SyncStep1', 'SyncStep2', 'Update']
const YJS = ['Sync', 'Awareness', 'Auth', 'QueryAwareness']
const HOCUSPOCUS = ['Sync', 'Awareness', 'Auth', 'QueryAwareness', 'SyncReply', 'Stateless', 'BroadcastStateless', 'Close', 'SyncStatus', 'Ping', 'Pong']

/** The bytes of what `write` puts into an encoder. */
export function bytes(write) {
  const encoder = encoding.createEncoder()
  write(encoder)
  return encoding.toUint8Array(encoder)
}

/** One y-websocket message. */
export function yjsMessage(name, body = new Uint8Array()) {
  return bytes((encoder) => writeMessage(encoder, name, body))
}

/** One Hocuspocus frame for `address`. */
export function hocuspocusMessage(address, name, body = new Uint8Array()) {
  return bytes((encoder) => {
    encoding.writeVarString(encoder, address)
    writeMessage(encoder, name, body)
  })
}

/** The Auth frame that a stock provider opens with. */
export function hocuspocusToken(address, token, version = '4.8.0') {
  return bytes((encoder) => {
    encoding.writeVarString(encoder, address)
    encoding.writeVarUint(encoder, 2)
    encoding.writeVarUint(encoder, 0)
    encoding.writeVarString(encoder, token)
    encoding.writeVarString(encoder, version)
  })
}

function writeMessage(encoder, name, body) {
  if (SYNC.includes(name)) {
    encoding.writeVarUint(encoder, 0)
    encoding.writeVarUint(encoder, SYNC.indexOf(name))
    encoding.writeVarUint8Array(encoder, body)
  } else if (name === 'Awareness') {
    encoding.writeVarUint(encoder, 1)
    encoding.writeVarUint8Array(encoder, body)
  } else {
    encoding.writeVarUint(encoder, HOCUSPOCUS.indexOf(name))
  }
}

function readBody(decoder, name) {
  if (name === 'Sync') {
    const step = SYNC[decoding.readVarUint(decoder)]
    return { name: step, body: decoding.readVarUint8Array(decoder) }
  }
  if (name === 'Awareness') return { name, body: decoding.readVarUint8Array(decoder) }
  if (name === 'SyncStatus') return { name, applied: decoding.readVarUint(decoder) }
  if (name === 'Stateless') return { name, payload: decoding.readVarString(decoder) }
  if (name === 'Close') return { name, reason: decoding.readVarString(decoder) }
  return { name }
}

/** The message at the start of a y-websocket frame and how many bytes follow it. */
export function readYjs(frame) {
  const decoder = decoding.createDecoder(frame)
  const name = YJS[decoding.readVarUint(decoder)]
  const message = name === 'Auth' ? { name, code: decoding.readVarUint(decoder), reason: decoding.readVarString(decoder) } : readBody(decoder, name)
  return { ...message, left: frame.length - decoder.pos }
}

/** The message in a Hocuspocus frame, its address and how many bytes follow it. */
export function readHocuspocus(frame) {
  const decoder = decoding.createDecoder(frame)
  const address = decoding.readVarString(decoder)
  const name = HOCUSPOCUS[decoding.readVarUint(decoder)]
  if (name !== 'Auth') return { address, ...readBody(decoder, name), left: frame.length - decoder.pos }
  const kind = ['SendToken', 'PermissionDenied', 'Authenticated'][decoding.readVarUint(decoder)]
  const text = kind === 'SendToken' ? '' : decoding.readVarString(decoder)
  return { address, name: kind, text, left: frame.length - decoder.pos }
}

/** The client ids and states in the body of an Awareness message; null for one that left. */
export function readAwareness(body) {
  const decoder = decoding.createDecoder(body)
  return new Map(
    Array.from({ length: decoding.readVarUint(decoder) }, () => {
      const client = decoding.readVarUint(decoder)
      const clock = decoding.readVarUint(decoder)
      return [client, { clock, state: JSON.parse(decoding.readVarString(decoder)) }]
    }),
  )
}

/** The body of an Awareness message. */
export function awarenessBody(client, clock, state) {
  return bytes((encoder) => {
    encoding.writeVarUint(encoder, 1)
    encoding.writeVarUint(encoder, client)
    encoding.writeVarUint(encoder, clock)
    encoding.writeVarString(encoder, JSON.stringify(state))
  })
}

/** An open socket. `messages` holds everything received so far, read by `read`. */
export class RawSocket {
  messages = []
  closed = null

  constructor(address, read) {
    this.socket = new WebSocket(address.replace(/^http/, 'ws'))
    this.socket.on('message', (data) => {
      this.messages.push(read(new Uint8Array(data)))
      ring()
    })
    this.socket.on('open', ring)
    this.socket.on('close', (code) => {
      this.closed = code
      ring()
    })
  }

  async opened() {
    await until('the socket to open', () => this.socket.readyState === WebSocket.OPEN)
  }

  send(...messages) {
    const length = messages.reduce((sum, message) => sum + message.length, 0)
    const frame = new Uint8Array(length)
    let at = 0
    for (const message of messages) {
      frame.set(message, at)
      at += message.length
    }
    this.socket.send(frame)
  }

  /** All messages so far that `fits` holds for. */
  all(fits) {
    return this.messages.filter(fits)
  }

  /** Resolves with the first message from `since` on that `fits` holds for. */
  async first(what, fits, since = 0) {
    const find = () => this.messages.slice(since).find(fits)
    await until(what, () => find() !== undefined || this.closed !== null, () => JSON.stringify(this.messages.map(({ name }) => name)))
    const found = find()
    if (found === undefined) throw new Error(`closed with ${this.closed} instead of ${what}`)
    return found
  }
}
