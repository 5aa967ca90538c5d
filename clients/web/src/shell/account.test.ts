import { load } from '@i18n'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { api, Refusal, send, SIGNED_OUT } from './api'
import { account, guestName } from './account.svelte'
import { details, words } from './refusals'

const ADA = { id: 'u_1', name: 'Ada', email: 'ada@example.org', color: '#1d4ed8', admin: true, language: 'en' }
type Reply = { status?: number; body?: unknown; headers?: Record<string, string> } | 'nothing'

let asked: string[]
let replies: Record<string, Reply>
beforeEach(async () => {
  asked = []
  replies = {}
  localStorage.clear()
  vi.stubGlobal('fetch', async (url: string, init: RequestInit) => {
    const name = `${init.method} ${url.replace('/api/v1/', '')}`
    asked.push(name)
    const reply = replies[name] ?? 'nothing'
    if (reply === 'nothing') throw new TypeError('no line')
    return new Response(reply.body === undefined ? null : JSON.stringify(reply.body), { status: reply.status ?? 200, headers: reply.headers ?? {} })
  })
  await load('en')
})
afterEach(() => vi.unstubAllGlobals())

const refused = (status: number, code: string, message = ''): Reply => ({ status, body: { error: { code, message } } })

test('whoever the node knows is in, and may do what it says', async () => {
  replies['GET session'] = { body: { user: ADA, open: false, mail: true, invite: true } }
  await account.load()
  expect([account.status, account.user?.name, account.mail, account.invite, account.stale]).toEqual(['in', 'Ada', true, true, false])
})

test('a stranger is out', async () => {
  replies['GET session'] = refused(401, 'unauthenticated')
  await account.load()
  expect([account.status, account.user]).toEqual(['out', null])
})

test('without an answer whoever was here last goes on, and is asked again later', async () => {
  replies['GET session'] = { body: { user: ADA } }
  await account.load()
  replies['GET session'] = 'nothing'
  await account.load()
  expect([account.status, account.user?.id, account.stale]).toEqual(['in', 'u_1', true])
})

test('everybody is a guest of an open node, with a name of their own', async () => {
  replies['GET session'] = { body: { user: null, open: true } }
  await account.load()
  expect(account.status).toBe('open')
  expect(guestName(account.guest)).toMatch(/^Guest \d+$/)
  await account.change({ name: ' Grace ' })
  expect(account.face.name).toBe('Grace')
})

test('a session that ends keeps its user, so that what they wrote can be saved', async () => {
  replies['GET session'] = { body: { user: ADA } }
  await account.load()
  replies['GET notices'] = refused(401, 'unauthenticated')
  await expect(api.get('notices')).rejects.toBeInstanceOf(Refusal)
  expect([account.status, account.user?.name]).toEqual(['ended', 'Ada'])
})

test('a wrong password ends no session', async () => {
  replies['GET session'] = { body: { user: ADA } }
  await account.load()
  replies['POST account/password'] = refused(401, 'unauthenticated')
  await expect(account.changePassword('x', 'y')).rejects.toMatchObject({ code: 'unauthenticated' })
  expect(account.status).toBe('in')
})

test('signing out forgets what this browser keeps, after the node has heard', async () => {
  replies['GET session'] = { body: { user: ADA } }
  await account.load()
  const forgotten: string[] = []
  account.onLeave(async (user) => void forgotten.push(user.id))
  await expect(account.signOut()).rejects.toMatchObject({ code: 'no_answer' })
  expect([account.status, forgotten]).toEqual(['in', []])
  replies['DELETE session'] = { status: 204 }
  await account.signOut()
  expect([account.status, forgotten, localStorage.getItem('parvis.session')]).toEqual(['out', ['u_1'], null])
})

test('nothing is asked beside signing out, nor after it in the name of the session', async () => {
  replies['GET session'] = { body: { user: ADA } }
  replies['DELETE session'] = { status: 204 }
  replies['GET notices'] = { body: { notices: [] } }
  await account.load()
  asked.length = 0
  let answer = (): void => undefined
  const { fetch } = globalThis
  vi.stubGlobal('fetch', async (url: string, init: RequestInit) => {
    if (url.endsWith('slow')) await new Promise<void>((resolve) => (answer = resolve))
    return fetch(url, init)
  })
  replies['GET slow'] = { body: {} }
  const before = api.get('slow')
  const leaving = account.signOut()
  const meanwhile = api.get('notices').catch((error: unknown) => error)
  await new Promise((resolve) => setTimeout(resolve))
  expect(asked).toEqual([])
  answer()
  await Promise.all([before, leaving])
  expect(await meanwhile).toMatchObject({ code: SIGNED_OUT, status: 401 })
  expect([account.status, asked]).toEqual(['out', ['GET slow', 'DELETE session']])
})

test('what waited for a signing out that failed is asked', async () => {
  replies['GET session'] = { body: { user: ADA } }
  replies['GET notices'] = { body: { notices: [] } }
  await account.load()
  asked.length = 0
  const leaving = account.signOut()
  const meanwhile = api.get('notices')
  await expect(leaving).rejects.toMatchObject({ code: 'no_answer' })
  expect(await meanwhile).toEqual({ notices: [] })
  expect([account.status, asked]).toEqual(['in', ['DELETE session', 'GET notices']])
})

test('refusals are said in words of their own, by code, then by status', () => {
  const say = (code: string, status: number, message = '') => words(new Refusal(code, message, { status }))
  expect(say('weak_password', 422, 'expected 12 to 128 characters, got 3')).toBe('The password needs 12 to 128 characters.')
  expect(say('weak_password', 422, 'a very common password')).toMatch(/easy to guess/)
  expect(words(new Refusal('too_many_attempts', '', { status: 429, wait: 30 }))).toBe('Too many attempts. Try again in 30 seconds.')
  expect(say('store_unavailable', 503)).toMatch(/right now/)
  expect(say('brand_new_code', 418)).toBe('The server refused this.')
  expect(details(new Refusal('brand_new_code', 'teapots only', { status: 418 }))).toBe('brand_new_code: teapots only')
})

test('an answer that is no JSON is a refusal too, and an abort stays one', async () => {
  vi.stubGlobal('fetch', async () => new Response('<html>', { status: 200 }))
  await expect(api.get('session')).rejects.toMatchObject({ code: 'strange_answer' })
  const stop = new AbortController()
  stop.abort()
  vi.stubGlobal('fetch', async () => {
    throw new DOMException('stopped', 'AbortError')
  })
  await expect(send('GET', 'session', { signal: stop.signal })).rejects.toMatchObject({ name: 'AbortError' })
})

test('a guest shows their token and no cookie', async () => {
  const seen: RequestInit[] = []
  vi.stubGlobal('fetch', async (_: string, init: RequestInit) => {
    seen.push(init)
    return new Response('{}')
  })
  await api.get('docs/documents/a', {}, { token: 'secret' })
  expect(seen[0]).toMatchObject({ credentials: 'omit', headers: { authorization: 'Bearer secret' } })
})
