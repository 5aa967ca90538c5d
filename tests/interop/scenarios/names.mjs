// Names, tokens and messages beyond ASCII, and a version 2 provider that has no token to send.
import { until } from '../bell.mjs'
import { open } from '../clients.mjs'
import { add, agree } from '../content.mjs'

const KEYS = ['日本語/é 🦊', 'a%20b', '100 %', 'espace et + plus', 'doc:1', 'question?et#dièse', 'a&b=c;d,e@f$g!h\'i(j)*', 'trailing/', 'x'.repeat(512)]

/** Every key opens the same room through both dialects. Returns the keys that did not. */
export async function keys({ url, prefix }) {
  const apart = []
  for (const key of KEYS) {
    const room = `plain/${`${prefix}${key}`.slice(0, 512)}`
    const pair = [open('y-websocket-3', url, room), open('hocuspocus-4', url, room), open('y-websocket-1', url, room)]
    await Promise.all(pair.map((client) => client.ready()))
    pair.forEach(({ doc, kind }) => add(doc, `${kind};`))
    await until(`both dialects to meet in ${JSON.stringify(key)}`, () => agree(pair.map(({ doc }) => doc)), () => JSON.stringify(pair.map(({ doc }) => doc.getText('text').toString())))
    if (new Set(pair.map(({ doc }) => doc.getText('text').toString())).size !== 1) apart.push(key)
    pair.forEach((client) => client.destroy())
  }
  return { apart, keys: KEYS.length }
}

/** Stateless messages beyond ASCII leave the session and its document alone. */
export async function stateless({ url, room }) {
  const clients = ['hocuspocus-2', 'hocuspocus-3', 'hocuspocus-4'].map((kind) => open(kind, url, room))
  await Promise.all(clients.map((client) => client.ready()))
  for (const client of clients) {
    client.provider.sendStateless(JSON.stringify({ hello: 'Zoë 🦊 日本語', lone: '\ud83e' }))
    add(client.doc, `${client.kind};`)
  }
  await Promise.all(clients.map((client) => client.saved()))
  await until('all to agree', () => agree(clients.map(({ doc }) => doc)))
  return { sockets: clients.map(({ record }) => record.attempts), closes: clients.flatMap(({ record }) => record.closes) }
}

/** Version 2 without a token sends no Auth message at all: an open node lets it in all the same. */
export async function version_2_without_a_token({ url, room }) {
  const client = open('hocuspocus-2', url, room, { token: '' })
  const other = open('y-websocket-3', url, room)
  await Promise.all([client.ready(), other.ready()])
  add(client.doc, 'no token;')
  await client.saved()
  await until('the other client to see it', () => agree([client.doc, other.doc]))
  return { text: other.doc.getText('text').toString(), sockets: client.record.attempts }
}
