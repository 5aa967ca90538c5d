// The node's HTTP API: JSON in and out, and a `Refusal` for everything that is no good answer.

/** The node said no, or nothing. `words` in refusals.ts says it in the reader's language. */
export class Refusal extends Error {
  /** The answer's own code; `no_answer` if there was none, `strange_answer` if it makes no sense. */
  readonly code: string
  /** Of HTTP; 0 if there was no answer. */
  readonly status: number
  /** What to do about it, in the server's English; often empty. */
  readonly hint: string
  /** So many seconds to wait before the next attempt; 0 if the server did not say. */
  readonly wait: number

  constructor(code: string, message: string, { status = 0, hint = '', wait = 0 } = {}) {
    super(message)
    this.code = code
    this.status = status
    this.hint = hint
    this.wait = wait
  }
}

export interface Ask {
  /** Becomes JSON; a `Blob` or bytes go as they are. */
  readonly body?: unknown
  readonly query?: Readonly<Record<string, string | number | undefined>>
  readonly signal?: AbortSignal
  /** Of a guest, instead of the cookie. */
  readonly token?: string | undefined
  readonly type?: string
  /** Proves who one is by more than the session: a 401 is about that proof and ends no session. */
  readonly isProof?: boolean
  /** Ends the session: see `endWith`. */
  readonly isLast?: boolean
}

/** Milliseconds that signing out waits for what is under way. */
const PATIENCE = 5_000
/** Requests in the session's name that have no answer yet. */
const underWay = new Set<Promise<Response>>()
/** Whether the session has ended in the end; null unless it is about to. */
let ending: Promise<boolean> | null = null

/** The code of what was not sent any more, because its sender has signed out. */
export const SIGNED_OUT = 'signed_out'
const BASE = '/api/v1/'
const listeners = new Set<(refusal: Refusal) => void>()

/** Calls `listener` when a request was refused because nobody is signed in any more. */
export function onSignedOut(listener: (refusal: Refusal) => void): () => void {
  listeners.add(listener)
  return () => listeners.delete(listener)
}

/** The address of `path` below the API, with a query. */
export function address(path: string, query: Ask['query'] = {}): string {
  const given = Object.entries(query).filter(([, value]) => value !== undefined && value !== '')
  const search = new URLSearchParams(given.map(([name, value]) => [name, String(value)])).toString()
  return `${BASE}${path}${search ? `?${search}` : ''}`
}

/**
 * Ends the session by `end` with nothing asked beside it, which the node could only refuse: what is under way
 * is answered first; what comes meanwhile waits, and is not sent once the session has ended.
 */
export async function endWith(end: () => Promise<void>): Promise<void> {
  let settle: (hasEnded: boolean) => void = () => undefined
  ending = new Promise((resolve) => (settle = resolve))
  try {
    await Promise.race([Promise.allSettled(underWay), new Promise((resolve) => setTimeout(resolve, PATIENCE))])
    await end()
    settle(true)
  } finally {
    ending = null
    settle(false)
  }
}

/** Sends a request and returns the answer as it came. Throws `Refusal`; an abort stays an abort. */
export async function send(method: string, path: string, ask: Ask = {}): Promise<Response> {
  if (ask.token || ask.isLast) return request(method, path, ask)
  if (ending !== null && (await ending)) throw new Refusal(SIGNED_OUT, 'the session has ended', { status: 401 })
  const answer = request(method, path, ask)
  underWay.add(answer)
  try {
    return await answer
  } finally {
    underWay.delete(answer)
  }
}

async function request(method: string, path: string, ask: Ask): Promise<Response> {
  const { body, signal, token } = ask
  const isRaw = body instanceof Blob || body instanceof ArrayBuffer || body instanceof Uint8Array
  const headers: Record<string, string> = {}
  if (token) headers['authorization'] = `Bearer ${token}`
  if (ask.type) headers['content-type'] = ask.type
  else if (body !== undefined && !isRaw) headers['content-type'] = 'application/json'
  let response: Response
  try {
    response = await fetch(address(path, ask.query), {
      method,
      headers,
      credentials: token ? 'omit' : 'same-origin',
      ...(body === undefined ? {} : { body: isRaw ? (body as BodyInit) : JSON.stringify(body) }),
      ...(signal ? { signal } : {}),
    })
  } catch (error) {
    if (signal?.aborted) throw error
    throw new Refusal('no_answer', String(error))
  }
  if (response.ok) return response
  const answer = (await response.json().catch(() => null)) as { error?: Record<string, unknown> } | null
  const said = answer?.error
  const word = (name: string) => (typeof said?.[name] === 'string' ? said[name] : '')
  const refusal = new Refusal(word('code') || `http_${response.status}`, word('message') || response.statusText, {
    status: response.status,
    hint: word('hint'),
    wait: Number(response.headers.get('retry-after')) || 0,
  })
  if (refusal.status === 401 && !token && !ask.isProof) for (const listener of listeners) listener(refusal)
  throw refusal
}

async function json<Answer>(method: string, path: string, ask: Ask = {}): Promise<Answer> {
  const response = await send(method, path, ask)
  if (response.status === 204) return undefined as Answer
  try {
    return (await response.json()) as Answer
  } catch (error) {
    if (ask.signal?.aborted) throw error
    throw new Refusal('strange_answer', String(error), { status: response.status })
  }
}

type More = Omit<Ask, 'body'>

/** Requests below `/api/v1/`. The answers are what openapi.json says; nobody checks them again here. */
export const api = {
  get: <Answer>(path: string, query?: Ask['query'], more?: More) => json<Answer>('GET', path, { ...more, ...(query ? { query } : {}) }),
  post: <Answer>(path: string, body?: unknown, more?: More) => json<Answer>('POST', path, { ...more, body }),
  put: <Answer>(path: string, body?: unknown, more?: More) => json<Answer>('PUT', path, { ...more, body }),
  patch: <Answer>(path: string, body?: unknown, more?: More) => json<Answer>('PATCH', path, { ...more, body }),
  delete: <Answer = void>(path: string, more?: More) => json<Answer>('DELETE', path, more),
}
