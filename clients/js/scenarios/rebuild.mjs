// A room is rebuilt while somebody is away with work that was not sent.
import WebSocket from 'ws'
import * as Y from 'yjs'
import { person, until } from './people.mjs'

/** A line that can be down. */
function line() {
  const state = { down: false, sockets: [] }
  class Line extends WebSocket {
    constructor(url, ...rest) {
      super(state.down ? 'ws://127.0.0.1:9/' : url, ...rest)
      state.sockets.push(this)
    }
  }
  return { state, Line }
}

const text = (part) => part.doc.getText('text')

/** Asks for `rebuild`. Returns what the person has then, what was rescued, and what others see. */
export async function unsent_work({ url, room, ask }) {
  const { state, Line } = line()
  const [away, here] = [person(url, { WebSocket: Line }), person(url)]
  const [part, other] = [away.document(room), here.document(room)]
  await Promise.all([part.joined, other.joined])
  text(other).insert(0, 'kept ')
  await other.whenSaved()
  await until('it to arrive', () => text(part).toString() === 'kept ')
  state.down = true
  for (const socket of state.sockets) socket.terminate()
  await until('the line to be down', () => away.status !== 'open')
  text(part).insert(5, 'unsent')
  const resets = []
  for (const each of [part, other]) each.on('reset', ({ code }) => resets.push(code))
  await ask('rebuild')
  await until('the other to start over', () => resets.length === 1 && text(other).toString() === 'kept ')
  text(other).insert(5, 'on ')
  await other.whenSaved()
  state.down = false
  await until('to be back', () => resets.length === 2 && text(part).toString() === 'kept on ')
  const kept = new Y.Doc()
  Y.applyUpdate(kept, part.rescued.update)
  text(part).insert(0, 'more ')
  await part.whenSaved()
  await until('the other to see it', () => text(other).toString() === 'more kept on ')
  const answer = { rescued: kept.getText('text').toString(), other: other.rescued, resets }
  await Promise.all([away.close(), here.close()])
  return answer
}

/** Asks for `rebuild`. An application brings a document that it has kept itself, and that grew. */
export async function own_document({ url, room, ask }) {
  const first = person(url)
  const part = first.document(room)
  await part.joined
  text(part).insert(0, 'kept ')
  await part.whenSaved()
  const { doc } = part
  await first.close()
  doc.getText('text').insert(5, 'offline')
  await ask('rebuild')
  const again = person(url)
  const back = again.document(room, { doc })
  const olds = []
  back.on('reset', ({ old }) => olds.push(old))
  await until('to start over', () => olds.length === 1 && text(back).toString() === 'kept ')
  await again.close()
  return { old: olds[0] === doc }
}
