// Several people in one document: they agree, see each other, and keep what is theirs.
import * as Y from 'yjs'
import { edit, person, picture, roomToken, seeded, until } from './people.mjs'

/** Seeded random edits by people some of whom lose their connection now and then; all agree in the end. */
export async function converge({ url, room, seed, people = 3, edits = 120 }) {
  const random = seeded(seed)
  const sessions = Array.from({ length: people }, () => person(url))
  const parts = sessions.map((session, index) => session.document(room, index === 1 ? { batch: 'frame' } : {}))
  await Promise.all(parts.map((part) => part.joined))
  for (let n = 0; n < edits; n++) {
    const who = random(people)
    edit(parts[who].doc, random, String.fromCharCode(97 + who))
    if (random(3) === 0) await new Promise((resolve) => setTimeout(resolve, random(4)))
    if (random(40) === 0) {
      // This one edits alone for a while, and comes back as another session with the same document.
      const { doc } = parts[who]
      await sessions[who].close()
      for (let m = 0; m < 5; m++) edit(doc, random, 'o')
      sessions[who] = person(url)
      parts[who] = sessions[who].document(room, { doc })
    }
  }
  await Promise.all(parts.map((part) => part.joined))
  await Promise.all(parts.map((part) => part.whenSaved()))
  const pictures = () => parts.map(({ doc }) => picture(doc))
  await until('all to agree', () => new Set(pictures()).size === 1, () => pictures().join('\n'))
  const fresh = person(url)
  const part = fresh.document(room)
  await part.joined
  const same = picture(part.doc) === picture(parts[0].doc)
  await Promise.all([...sessions, fresh].map((session) => session.close()))
  return { same, length: picture(part.doc).length }
}

/** Cursors come, move and go. */
export async function cursors({ url, room, secret }) {
  const capabilities = ['view', 'edit']
  const ticket = (user) => roomToken({ secret, room, user, capabilities, seconds: 60 })
  const [one, two] = ['watching', 'moving'].map((user) => person(url, { ticket: () => ticket(user) }))
  const [watching, moving] = [one.document(room), two.document(room)]
  await Promise.all([watching.joined, moving.joined])
  const seen = () => watching.awareness.getStates().get(moving.doc.clientID)?.cursor
  moving.awareness.setLocalStateField('user', { name: 'somebody else' })
  moving.awareness.setLocalStateField('cursor', 1)
  await until('the cursor', () => seen() === 1)
  for (let cursor = 2; cursor <= 50; cursor++) moving.awareness.setLocalStateField('cursor', cursor)
  await until('its last place', () => seen() === 50)
  const user = watching.awareness.getStates().get(moving.doc.clientID).user
  await two.close()
  await until('it to be gone', () => seen() === undefined)
  await one.close()
  return { name: user.name }
}

/** Many parts on one socket do not mix, and a part that was left is joined again as it was. */
export async function many_parts({ url, room }) {
  const session = person(url)
  let sockets = 0
  session.on('user', () => (sockets += 1))
  const parts = Array.from({ length: 50 }, (_, n) => session.document(`${room}-${n}`))
  await Promise.all(parts.map((part) => part.joined))
  parts.forEach((part, n) => part.doc.getText('text').insert(0, `part ${n}`))
  await Promise.all(parts.map((part) => part.whenSaved()))
  parts.forEach((part) => part.leave())
  const again = Array.from({ length: 50 }, (_, n) => session.document(`${room}-${n}`))
  await Promise.all(again.map((part) => part.joined))
  const wrong = again.filter((part, n) => part.doc.getText('text').toString() !== `part ${n}`).length
  await session.close()
  return { wrong, sockets }
}

/** A document of a session that was away for long is complete after one join, and sends only what lacks. */
export async function offline_merge({ url, room }) {
  const [one, two] = [person(url), person(url)]
  const [first, second] = [one.document(room), two.document(room)]
  await Promise.all([first.joined, second.joined])
  first.doc.getText('text').insert(0, 'shared. ')
  await first.whenSaved()
  await until('it to arrive', () => second.doc.getText('text').length === 8)
  const { doc } = second
  await two.close()
  doc.getText('text').insert(8, 'offline. ')
  doc.getText('text').delete(0, 2)
  first.doc.getText('text').insert(8, 'online. ')
  await first.whenSaved()
  const back = person(url)
  const again = back.document(room, { doc })
  await again.joined
  await again.whenSaved()
  await until('both to agree', () => picture(first.doc) === picture(again.doc))
  const text = first.doc.getText('text').toString()
  await Promise.all([one.close(), back.close()])
  return { online: text.includes('online. '), offline: text.includes('offline. '), deleted: !text.includes('shared') }
}

/** Tokens of two seconds: the session outlives them on one connection. */
export async function short_tokens({ url, room, secret }) {
  let tokens = 0
  const session = person(url, {
    ticket: () => {
      tokens += 1
      return roomToken({ secret, room, user: 'brief', capabilities: ['view', 'edit'], seconds: 2 })
    },
  })
  let connections = 0
  session.on('user', () => (connections += 1))
  const part = session.document(room)
  await part.joined
  await until('three refreshes', () => tokens === 4)
  part.doc.getText('text').insert(0, 'still here')
  await part.whenSaved()
  const { status } = session
  await session.close()
  return { connections, status }
}

/** The right to edit is taken away while somebody types, and given back. */
export async function access_taken_away({ url, room, secret }) {
  const grant = (user, capabilities, seconds) => roomToken({ secret, room, user, capabilities, seconds })
  let capabilities = ['view', 'edit']
  const typing = person(url, { ticket: () => grant('typing', capabilities, 2) })
  const watching = person(url, { ticket: () => grant('watching', ['view'], 60) })
  const part = typing.document(room)
  await part.joined
  const refused = []
  part.on('refused', ({ code }) => refused.push(code))
  let typed = 0
  const type = () => part.doc.getMap('marks').set(`m${++typed}`, typed)
  const timer = setInterval(type, 5)
  const watched = watching.document(room)
  await watched.joined
  await until('some edits', () => watched.doc.getMap('marks').size > 5)
  capabilities = ['view']
  await until('the right to be gone', () => !part.writable)
  const before = typed
  await until('typing without it', () => typed > before + 20)
  clearInterval(timer)
  const without = { saved: part.saved, seen: watched.doc.getMap('marks').size <= typed - 20, watcher: watched.writable }
  capabilities = ['view', 'edit']
  await until('the right to be back', () => part.writable)
  await part.whenSaved()
  await until('everything to arrive', () => watched.doc.getMap('marks').size === typed)
  await Promise.all([typing.close(), watching.close()])
  return { ...without, refused: [...new Set(refused)], status: 'done' }
}

/** What a viewer edits goes nowhere; a wrong token ends the session. */
export async function strangers({ url, room, secret }) {
  const editor = person(url, { ticket: () => roomToken({ secret, room, user: 'e', capabilities: ['view', 'edit'], seconds: 60 }) })
  const first = editor.document(room)
  await first.joined
  const viewer = person(url, { ticket: () => roomToken({ secret, room, user: 'v', capabilities: ['view'], seconds: 60 }) })
  const part = viewer.document(room)
  await part.joined
  part.doc.getText('text').insert(0, 'mine')
  const elsewhere = viewer.document(`${room}-elsewhere`)
  const why = await elsewhere.joined.catch((problem) => problem.code)
  const wrong = person(url, { ticket: () => 'nonsense' })
  await until('the stranger to be sent away', () => wrong.status === 'closed')
  const result = { saved: part.saved, seen: first.doc.getText('text').length, why, code: wrong.closed.code }
  await Promise.all([editor.close(), viewer.close()])
  return result
}

/** Many headless people in one room, as a load test has them: returns the time until all have all. */
export async function crowd({ url, room, people = 60 }) {
  const sessions = Array.from({ length: people }, () => person(url))
  const parts = sessions.map((session) => session.document(room))
  await Promise.all(parts.map((part) => part.joined))
  parts.forEach((part, n) => part.doc.getMap('marks').set(`${n}`, n))
  await Promise.all(parts.map((part) => part.whenSaved()))
  await until('everyone to have everything', () => parts.every((part) => part.doc.getMap('marks').size === people))
  const states = new Set(parts.map((part) => Buffer.from(Y.encodeStateVector(part.doc)).length))
  await Promise.all(sessions.map((session) => session.close()))
  return { sizes: states.size }
}
