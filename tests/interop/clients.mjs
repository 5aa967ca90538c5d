// The six stock clients behind one face: open a document, see what is confirmed, go and come back.
import * as hocuspocus2 from 'hocuspocus-2'
import * as hocuspocus3 from 'hocuspocus-3'
import * as hocuspocus4 from 'hocuspocus-4'
import * as decoding from 'lib0/decoding'
import { Awareness } from 'y-protocols/awareness'
import { WebsocketProvider as Yjs1 } from 'y-websocket-1'
import { WebsocketProvider as Yjs2 } from 'y-websocket-2'
import { WebsocketProvider as Yjs3 } from 'y-websocket-3'
import * as Y from 'yjs'
import { ring, until } from './bell.mjs'
import { Record, watchedSocket } from './sockets.mjs'

const YJS = { 'y-websocket-1': Yjs1, 'y-websocket-2': Yjs2, 'y-websocket-3': Yjs3 }
const HOCUSPOCUS = { 'hocuspocus-2': hocuspocus2, 'hocuspocus-3': hocuspocus3, 'hocuspocus-4': hocuspocus4 }
export const KINDS = [...Object.keys(YJS), ...Object.keys(HOCUSPOCUS)]

// Stock settings, except that coming back after a restart need not take a second and more.
const QUICK = { delay: 100, minDelay: 100, maxDelay: 500 }

/** `http://…` as the address of a websocket. */
const socketUrl = (url) => url.replace(/^http/, 'ws')

/**
 * Opens `type/key` (the name of a room, as it is) with the client `kind`.
 *
 * Options: `token`; `cookie` and `origin` as of a browser's page; `clientID`; `gate` holds back what it sends; `stock: true` keeps the client's
 * own reconnect times.
 */
export function open(kind, url, room, options = {}) {
  return kind in YJS ? new YjsClient(kind, url, room, options) : new HocuspocusClient(kind, url, room, options)
}

class Client {
  constructor(kind, options) {
    this.kind = kind
    this.doc = options.doc ?? new Y.Doc()
    if (options.clientID !== undefined) this.doc.clientID = options.clientID
    this.awareness = new Awareness(this.doc)
    this.record = new Record()
    this.record.gate = options.gate ?? null
    if (options.cookie !== undefined) this.record.headers = { cookie: options.cookie, origin: options.origin }
  }

  /** Resolves when the handshake has ended: this client has what the server has. */
  ready() {
    return until(`${this.kind} to be synced`, () => this.synced, () => JSON.stringify(this.record.closes))
  }

  /** Resolves when the server has called everything this client wrote durable. */
  saved() {
    return until(`${this.kind} to be saved`, () => this.isSaved, () => this.owed)
  }

  /** Cuts the line without a goodbye, as a lost network does. The client comes back by itself. */
  cut() {
    this.record.sockets.at(-1).terminate()
  }
}

class YjsClient extends Client {
  #confirmed = 0

  constructor(kind, url, room, options) {
    super(kind, options)
    // Its own inserts come back in the server's frames once they are durable.
    this.record.onFrame = (frame) => this.#look(frame)
    this.provider = new YJS[kind](`${socketUrl(url)}/yjs`, encodeURI(room).replace(/[?#]/g, encodeURIComponent), this.doc, {
      awareness: this.awareness,
      params: options.token === undefined ? {} : { token: options.token },
      WebSocketPolyfill: watchedSocket(this.record),
      disableBc: true,
    })
  }

  get synced() {
    return this.provider.synced
  }

  get isSaved() {
    return this.#confirmed >= Y.getState(this.doc.store, this.doc.clientID)
  }

  get owed() {
    return `${this.#confirmed} of ${Y.getState(this.doc.store, this.doc.clientID)} confirmed`
  }

  disconnect() {
    this.provider.disconnect()
  }

  connect() {
    this.provider.connect()
  }

  destroy() {
    this.provider.destroy()
    this.awareness.destroy()
  }

  #look(frame) {
    const decoder = decoding.createDecoder(frame)
    if (decoding.readVarUint(decoder) !== 0) return
    if (decoding.readVarUint(decoder) === 0) return
    const { to } = Y.parseUpdateMeta(decoding.readVarUint8Array(decoder))
    this.#confirmed = Math.max(this.#confirmed, to.get(this.doc.clientID) ?? 0)
  }
}

class HocuspocusClient extends Client {
  failures = []
  stateless = []

  constructor(kind, url, room, options) {
    super(kind, options)
    const { HocuspocusProvider } = HOCUSPOCUS[kind]
    this.socket = options.socket ?? openSocket(kind, url, this.record, options)
    this.ownsSocket = options.socket === undefined
    this.provider = new HocuspocusProvider({
      websocketProvider: this.socket,
      name: room,
      document: this.doc,
      awareness: this.awareness,
      // Version 2 sends no Auth message at all for an empty token; a scenario of its own covers that.
      token: options.token ?? (kind === 'hocuspocus-2' ? 'any' : ''),
      ...(kind === 'hocuspocus-2' ? { broadcast: false } : {}),
      ...(options.sessionAwareness ? { sessionAwareness: true } : {}),
      onAuthenticationFailed: ({ reason }) => {
        this.failures.push(reason)
        ring()
      },
      onStateless: ({ payload }) => this.stateless.push(payload),
    })
    // Version 2 joins by itself; later ones when told, if the socket is not their own.
    if (kind !== 'hocuspocus-2') this.provider.attach()
  }

  get synced() {
    return this.provider.isSynced
  }

  get isSaved() {
    // Version 2 counts below zero when what it queued offline is confirmed after the handshake.
    return this.provider.unsyncedChanges <= 0
  }

  get owed() {
    return `${this.provider.unsyncedChanges} unsynced changes`
  }

  disconnect() {
    this.socket.disconnect()
  }

  connect() {
    void this.socket.connect()
  }

  destroy() {
    this.provider.destroy()
    if (this.ownsSocket) this.socket.destroy()
  }
}

/** A socket for one or several documents of the Hocuspocus client `kind`. */
export function openSocket(kind, url, record, options = {}) {
  const { HocuspocusProviderWebsocket } = HOCUSPOCUS[kind]
  return new HocuspocusProviderWebsocket({
    url: `${socketUrl(url)}/hocuspocus`,
    WebSocketPolyfill: watchedSocket(record),
    ...(options.stock ? {} : QUICK),
  })
}
