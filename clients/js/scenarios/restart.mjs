// The node dies or drains under people who type.
import { marks, person, picture, until } from './people.mjs'

/** Type a mark every few milliseconds until stopped; `acked` are those that were saved at some moment. */
function typist(part, who) {
  const acked = new Set()
  let typed = 0
  let running = true
  part.on('saved', (saved) => {
    if (saved === 'saved') for (let n = 1; n <= typed; n++) acked.add(`${who}${n}`)
  })
  const timer = setInterval(() => {
    if (!running) return
    typed += 1 // before the edit: its ack cannot come before it
    part.doc.getMap('marks').set(`${who}${typed}`, typed)
    part.doc.getText('text').insert(0, 'x')
  }, 3)
  return {
    acked,
    typed: () => typed,
    stop() {
      running = false
      clearInterval(timer)
    },
  }
}

/**
 * Two people type, the node is killed, both go away without coming back: what they were told is
 * saved is there. Asks for `kill` and `start`.
 */
export async function acked_survives({ url, room, ask }) {
  const sessions = [person(url), person(url)]
  const parts = sessions.map((session) => session.document(room))
  await Promise.all(parts.map((part) => part.joined))
  const typists = parts.map((part, index) => typist(part, `${index}-`))
  await until('some acks', () => typists.every(({ acked }) => acked.size > 20))
  await ask('kill')
  typists.forEach((each) => each.stop())
  const acked = typists.flatMap((each) => [...each.acked])
  await Promise.all(sessions.map((session) => session.close()))
  await ask('start')
  const fresh = person(url)
  const part = fresh.document(room)
  await part.joined
  const there = marks(part.doc)
  await fresh.close()
  return { acked: acked.length, lost: acked.filter((mark) => !(mark in there)) }
}

/**
 * Two people type through a kill -9 and a restart: everything arrives, once, and both agree with
 * somebody new. Asks for `kill` and `start`.
 */
export async function unacked_arrives({ url, room, ask }) {
  const sessions = [person(url), person(url)]
  const parts = sessions.map((session) => session.document(room))
  const statuses = []
  sessions[0].on('status', (status) => statuses.push(status))
  await Promise.all(parts.map((part) => part.joined))
  const typists = parts.map((part, index) => typist(part, `${index}-`))
  await until('some acks', () => typists.every(({ acked }) => acked.size > 5))
  await ask('kill')
  await until('everyone to notice', () => parts.every(({ synced }) => !synced))
  const offline = typists.map((each) => each.typed())
  await until('work offline', () => typists.every((each, index) => each.typed() > offline[index] + 20))
  const savedOffline = parts.map(({ saved }) => saved)
  await ask('start')
  await until('everyone to be back', () => parts.every(({ synced }) => synced))
  typists.forEach((each) => each.stop())
  await Promise.all(parts.map((part) => part.whenSaved()))
  await until('both to agree', () => picture(parts[0].doc) === picture(parts[1].doc))
  const fresh = person(url)
  const part = fresh.document(room)
  await part.joined
  const typed = typists.flatMap((each, index) => Array.from({ length: each.typed() }, (_, n) => `${index}-${n + 1}`))
  const there = marks(part.doc)
  const result = {
    missing: typed.filter((mark) => !(mark in there)),
    same: picture(part.doc) === picture(parts[0].doc),
    letters: part.doc.getText('text').length - typed.length,
    savedOffline,
    cameBack: statuses.includes('open'),
  }
  await Promise.all([...sessions, fresh].map((session) => session.close()))
  return result
}

/**
 * A node that is asked to end says so; people leave it, go on, and are back with everything when
 * there is a node again. Asks for `stop` and `start`.
 */
export async function draining({ url, room, ask }) {
  const session = person(url)
  const part = session.document(room)
  await part.joined
  const typing = typist(part, 'd')
  await until('some acks', () => typing.acked.size > 5)
  await ask('stop')
  await until('the node to be left', () => !part.synced)
  const closed = session.status === 'closed'
  await ask('start')
  await until('the part to be back', () => part.synced)
  typing.stop()
  await part.whenSaved()
  const fresh = person(url)
  const again = fresh.document(room)
  await again.joined
  const there = marks(again.doc)
  const missing = Array.from({ length: typing.typed() }, (_, n) => `d${n + 1}`).filter((mark) => !(mark in there))
  await Promise.all([session.close(), fresh.close()])
  return { closed, missing }
}
