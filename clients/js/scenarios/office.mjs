// Documents of the docs product on a real node: schema, parts that only the server writes, commands.
import { person, until } from './people.mjs'

/** Sign in and return what a client needs: requests with a token, and a session. */
async function member(url, { email, password }) {
  const ask = async (method, path, body, token) => {
    const answer = await fetch(`${url}/api/v1/${path}`, {
      method,
      headers: { 'content-type': 'application/json', ...(token && { authorization: `Bearer ${token}` }) },
      ...(body && { body: JSON.stringify(body) }),
    })
    if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${await answer.text()}`)
    return answer.json()
  }
  const { token } = await ask('POST', 'token', { email, password })
  return {
    ask: (method, path, body) => ask(method, path, body, token),
    session: () => person(url, { ticket: () => token }),
  }
}

const shownWords = (part) => part.doc.getXmlFragment('default').toString()

/** A client with the server's schema edits; one with another may only look, and never sends. */
export async function schemas({ url, people: [ada], schema }) {
  const { ask, session } = await member(url, ada)
  const { document } = await ask('POST', 'docs/documents', { title: 'Plan', format: 'markdown', content: 'Hello' })
  const [right, wrong, none] = [session(), session(), session()]
  const room = `docs/${document.key}`
  const parts = [right.document(room, { schema }), wrong.document(room, { schema: schema + 1 }), none.document(room)]
  await Promise.all(parts.map((part) => part.joined))
  const refused = []
  parts[1].on('refused', ({ code }) => refused.push(code))
  for (const part of parts) {
    const block = part.doc.getXmlFragment('default').get(0)
    block.setAttribute('id', `by${parts.indexOf(part)}`)
  }
  await parts[0].whenSaved()
  const fresh = session()
  const last = fresh.document(room, { schema })
  await last.joined
  const result = {
    schemas: parts.map(({ schema: each }) => each),
    writable: parts.map(({ writable }) => writable),
    saved: parts.map(({ saved }) => saved),
    id: last.doc.getXmlFragment('default').get(0).getAttribute('id'),
    words: shownWords(last).includes('Hello'),
    refused,
  }
  await Promise.all([right, wrong, none, fresh].map((each) => each.close()))
  return result
}

/**
 * Comments that are written while the node is down are there when it is back, once and in order, and
 * a lost answer does no harm. Asks for `kill` and `start`.
 */
export async function queued_comments({ url, people: [ada], schema, ask: tell }) {
  const { ask, session } = await member(url, ada)
  const { document } = await ask('POST', 'docs/documents', { title: 'Plan' })
  const one = session()
  const content = one.document(`docs/${document.key}`, { schema })
  const part = one.document(`docs/${document.key}`, { part: 'comments', schema, write: null })
  await Promise.all([content.joined, part.joined])
  const anchor = { a: null, quote: { text: '', prefix: '', suffix: '' }, block: null }
  await part.command('comment.add', { thread: 't1', message: 'm1', anchor, body: ['before'] })
  await tell('kill')
  await until('the break', () => !part.synced)
  const first = part.command('comment.reply', { thread: 't1', message: 'm2', body: ['while away'] }, { queue: true })
  const second = part.command('comment.reply', { thread: 't1', message: 'm3', body: ['and again'] }, { queue: true })
  const away = part.saved
  await tell('start')
  await Promise.all([first, second])
  // As if the answer had been lost.
  await part.command('comment.reply', { thread: 't1', message: 'm2', body: ['while away'] }, { queue: true })
  await part.whenSaved()
  await until('the messages', () => part.doc.getMap('messages').size >= 3)
  const messages = Object.values(part.doc.getMap('messages').toJSON()).sort((a, b) => a.time - b.time)
  const result = { away, bodies: messages.map(({ body }) => body), writable: [content.writable, part.writable] }
  await one.close()
  return result
}

/** Sharing shows at once: a signal for the person, the right in the open document, and its end. */
export async function sharing({ url, people: [ada, bob], schema }) {
  const [owner, other] = [await member(url, ada), await member(url, bob)]
  const { document } = await owner.ask('POST', 'docs/documents', { title: 'Plan' })
  const session = other.session()
  const signals = []
  session.on('signal', ({ name }) => signals.push(name))
  await until('the session', () => session.status === 'open')
  const denied = await session.document(`docs/${document.key}`, { schema }).joined.catch(({ code }) => code)
  await owner.ask('PUT', `docs/documents/${document.key}/people`, { email: bob.email, role: 'editor' })
  await until('the notice', () => signals.includes('notice'))
  const part = session.document(`docs/${document.key}`, { schema })
  await part.joined
  const rights = [part.writable]
  const block = part.doc.getXmlFragment('default').get(0)
  block.setAttribute('id', 'mine')
  await part.whenSaved()
  await owner.ask('PUT', `docs/documents/${document.key}/people`, { email: bob.email, role: 'viewer' })
  await until('the right to be gone', () => !part.writable)
  rights.push(part.access.has('view'))
  await owner.ask('DELETE', `docs/documents/${document.key}/people/${session.user.id}`)
  await until('the end', () => part.gone !== null)
  const kept = block.getAttribute('id')
  await session.close()
  return { denied, rights, code: part.gone.code, kept }
}
