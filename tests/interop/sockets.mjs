// The websocket that stock clients are given: ws, watched, and with a gate for outgoing frames.
import { WebSocket } from 'ws'
import { ring } from './bell.mjs'

/** What happened on the sockets of one client. */
export class Record {
  attempts = 0
  opened = 0
  frames = 0
  closes = []
  refusals = []
  sockets = []
  /** What a browser sends with the first request: its cookie. */
  headers = {}
  /** Called with every incoming frame, before the client sees it. */
  onFrame = () => {}
  /** While a gate is set, outgoing frames queue in it. */
  gate = null
}

/** Holds back what a client sends, so that a test decides what the others know. */
export class Gate {
  #held = []

  hold(send) {
    this.#held.push(send)
  }

  /** How many frames wait. */
  get held() {
    return this.#held.length
  }

  /** Lets the oldest `count` frames go. */
  release(count) {
    for (const send of this.#held.splice(0, count)) send()
  }
}

/** A WebSocket class whose sockets report to `record`. */
export function watchedSocket(record) {
  return class extends WebSocket {
    constructor(url, protocols = []) {
      super(url, protocols, { headers: record.headers })
      record.attempts += 1
      record.sockets.push(this)
      this.on('open', () => {
        record.opened += 1
        ring()
      })
      this.on('message', (data) => {
        record.frames += 1
        record.onFrame(new Uint8Array(data))
        ring()
      })
      this.on('unexpected-response', (request, response) => {
        record.refusals.push(response.statusCode)
        // Listening takes the failure out of ws' hands; a browser's socket would fail like this.
        request.destroy(new Error(`unexpected response ${response.statusCode}`))
      })
      this.on('close', (code) => {
        record.closes.push(code)
        ring()
      })
      this.on('error', ring)
    }

    send(data, ...rest) {
      if (record.gate === null) super.send(data, ...rest)
      else record.gate.hold(() => super.send(data, ...rest))
    }
  }
}
