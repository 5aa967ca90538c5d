// People for the scenarios: sessions of the built package on a real node, and what they write.
import { createHmac } from 'node:crypto'
import WebSocket from 'ws'
import * as Y from 'yjs'
import { connect } from '../dist/index.js'

/** A session on the node at `url` (http…). */
export function person(url, { ticket = '', ...options } = {}) {
  return connect({ url: `${url.replace('http', 'ws')}/ws`, ticket, WebSocket, client: 'scenarios', ...options })
}

/** Seconds by which a node forgives that the clock of whoever signed is behind. */
const LEEWAY = 10

/** A room token as an application's backend signs it; a node takes it for `seconds`. */
export function roomToken({ secret, room, user, capabilities, seconds }) {
  const part = (value) => Buffer.from(JSON.stringify(value)).toString('base64url')
  const exp = Date.now() / 1000 + seconds - LEEWAY
  const claims = { iss: 'tests', aud: 'parvis', sub: user, name: user, exp, rooms: [room], capabilities }
  const body = `${part({ alg: 'HS256', typ: 'JWT' })}.${part(claims)}`
  return `${body}.${createHmac('sha256', secret).update(body).digest('base64url')}`
}

/** Return once something holds; fail with what `show` says if it does not within half a minute. */
export async function until(what, holds, show = () => '') {
  const end = performance.now() + 30_000
  while (!holds()) {
    if (performance.now() > end) throw new Error(`waited in vain for ${what} ${show()}`)
    await new Promise((resolve) => setTimeout(resolve, 2))
  }
}

/** The same numbers for the same seed, from 0 up to but not including `bound`. */
export function seeded(seed) {
  let state = seed >>> 0
  return (bound) => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) % bound
  }
}

/** Everything that a document shows. */
export function picture(doc) {
  const list = doc.getArray('list').toJSON()
  return JSON.stringify([doc.getText('text').toDelta(), marks(doc), list, doc.getXmlFragment('default').toString()])
}

/** Marks that were set, by name, in order. */
export function marks(doc) {
  return Object.fromEntries(Object.entries(doc.getMap('marks').toJSON()).sort())
}

/** Make one random edit. Characters of one unit only: Yjs shows half a character differently to who cut it and to others. */
export function edit(doc, random, who) {
  const text = doc.getText('text')
  const list = doc.getArray('list')
  const xml = doc.getXmlFragment('default')
  doc.transact(() => {
    const at = random(text.length + 1)
    switch (random(6)) {
      case 0:
      case 1:
        return text.insert(at, `${who}é漢字`.slice(0, 1 + random(4)))
      case 2:
        return text.delete(at, Math.min(random(5), text.length - at))
      case 3:
        return text.format(at, Math.min(random(5), text.length - at), { bold: random(2) ? true : null })
      case 4:
        if (list.length > 3 && random(2)) return list.delete(random(list.length))
        return list.insert(random(list.length + 1), [`${who}${random(100)}`])
      default: {
        const block = new Y.XmlElement('paragraph')
        block.insert(0, [new Y.XmlText(`${who} ${random(100)}`)])
        return xml.insert(random(xml.length + 1), [block])
      }
    }
  })
}
