// Who the reader is: the node's session API, and a guest's own name.
import { drawColor } from './colors'
import { sayRefusal } from './refusals'
import type { Person } from './room'
import { say } from './words'

export interface User extends Person {
  id: string
}

/** The node said no, or nothing. The message is ready to be shown. */
export class Refusal extends Error {
  readonly code: string

  constructor(code: string, message: string) {
    super(message)
    this.code = code
  }
}

const SIGNED_IN = 'parvis.signed-in'
const GUEST = 'parvis.guest'

async function ask(method: string, path: string, body?: unknown): Promise<unknown> {
  let response: Response
  try {
    response = await fetch(`/api/v1/${path}`, {
      method,
      credentials: 'same-origin',
      ...(body === undefined
        ? {}
        : { headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }),
    })
  } catch {
    throw new Refusal('no_answer', say('noAnswer'))
  }
  const answer: unknown = await response.json().catch(() => null)
  if (response.ok) return answer
  const error = (answer as { error?: { code?: string; message?: string } } | null)?.error
  const code = error?.code ?? `http_${response.status}`
  const wait = Number(response.headers.get('retry-after') ?? 0)
  throw new Refusal(code, sayRefusal(code, error?.message ?? '', wait))
}

function userIn(answer: unknown): User {
  const user = (answer as { user?: Partial<User> } | null)?.user
  if (!user?.name) throw new Refusal('strange_answer', say('strange'))
  return { id: user.id ?? '', name: user.name, color: user.color ?? drawColor() }
}

/** The signed-in user, or null. Asks only where a session was begun, so that guests cause no 401. */
export async function currentUser(): Promise<User | null> {
  if (localStorage.getItem(SIGNED_IN) === null) return null
  try {
    return userIn(await ask('GET', 'session'))
  } catch (refusal) {
    if (refusal instanceof Refusal && refusal.code !== 'no_answer') localStorage.removeItem(SIGNED_IN)
    return null
  }
}

/** Begins a session; the node sets its cookie. Throws `Refusal`. */
export async function signIn(email: string, password: string): Promise<User> {
  return began(await ask('POST', 'session', { email, password }))
}

/** Creates the administrator with the one-time secret and begins their session. Throws `Refusal`. */
export async function setUp(secret: string, email: string, name: string, password: string): Promise<User> {
  return began(await ask('POST', 'setup', { secret, email, name, password }))
}

/** Ends the session. Throws `Refusal`. */
export async function signOut(): Promise<void> {
  await ask('DELETE', 'session')
  localStorage.removeItem(SIGNED_IN)
}

function began(answer: unknown): User {
  const user = userIn(answer)
  localStorage.setItem(SIGNED_IN, '1')
  return user
}

/** The guest of this browser: a name and a colour, kept for the next visit. */
export function guest(): Person {
  try {
    const kept = JSON.parse(localStorage.getItem(GUEST) ?? '') as Partial<Person>
    if (kept.name && kept.color) return { name: kept.name, color: kept.color }
  } catch {
    // Nothing kept yet.
  }
  const [byte = 0] = crypto.getRandomValues(new Uint8Array(1))
  return keepGuest({ name: `${say('guest')} ${10 + (byte % 90)}`, color: drawColor() })
}

export function keepGuest(person: Person): Person {
  localStorage.setItem(GUEST, JSON.stringify(person))
  return person
}
