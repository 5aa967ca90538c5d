// Coming by a link: its secret is exchanged for a way in, and kept for this tab only.
import { Refusal } from '@shell/api'
import { type Doc, type Guest, openLink } from '../api'
import { t } from '../words'
import { local } from '../../../device/local'

/** How a guest of a document is known: kept in the tab's session storage. */
interface Pass {
  readonly secret: string
  readonly name: string
  readonly guest: Guest
  token: string
  /** Seconds since 1970. */
  until: number
}

const KEPT = (key: string): string => `parvis.link.${key}`
const NAME = 'parvis.link.name'
/** Seconds before its end that a token is renewed. */
const EARLY = 60

function kept(key: string): Pass | null {
  try {
    const pass = JSON.parse(sessionStorage.getItem(KEPT(key)) ?? 'null') as Pass | null
    return pass !== null && typeof pass.token === 'string' ? pass : null
  } catch {
    return null
  }
}

function keep(key: string, pass: Pass): void {
  try {
    sessionStorage.setItem(KEPT(key), JSON.stringify(pass))
  } catch {
    // Then a reload asks the link again.
  }
}

/** The secret in an address' fragment: `#link=SECRET`. */
export function secretIn(hash: string): string | null {
  const found = /^link=(.+)$/.exec(hash)?.[1]
  if (found === undefined) return null
  try {
    return decodeURIComponent(found)
  } catch {
    return found // Cut short on its way; the server will say that there is no such link.
  }
}

/** The name that the reader gave as a guest before, in this browser. */
export const guestName = (): string => local.get(NAME) ?? ''

/** A guest of one document. */
export class Visit {
  readonly #key: string
  #pass: Pass

  constructor(key: string, pass: Pass) {
    this.#key = key
    this.#pass = pass
  }

  get guest(): Guest {
    return this.#pass.guest
  }

  get name(): string {
    return this.#pass.name
  }

  /** A token that is good for a while; the link is asked again when it ends. Throws `Refusal`. */
  readonly token = async (): Promise<string> => {
    if (this.#pass.until - EARLY > Date.now() / 1000) return this.#pass.token
    const answer = await openLink(this.#key, this.#pass.secret, this.#pass.name || t('guest.someone'))
    if (answer.token === undefined) throw new Refusal('strange_answer', 'the link brought no token')
    this.#pass = { ...this.#pass, token: answer.token, until: Date.now() / 1000 + (answer.expires_in ?? 600) }
    keep(this.#key, this.#pass)
    return this.#pass.token
  }
}

/** The visit that this tab has been on, if any. */
export function visitKept(key: string): Visit | null {
  const pass = kept(key)
  return pass === null ? null : new Visit(key, pass)
}

/** Enters by a link, under no name in particular if `name` is empty. `visit` is null for members, who come in as themselves. Throws `Refusal`. */
export async function enter(key: string, secret: string, name: string): Promise<{ document: Doc; visit: Visit | null }> {
  const { document, guest, token, expires_in } = await openLink(key, secret, name || t('guest.someone'))
  if (guest === undefined || token === undefined) return { document, visit: null }
  if (name !== '') local.set(NAME, name)
  const pass = { secret, name, guest, token, until: Date.now() / 1000 + (expires_in ?? 600) }
  keep(key, pass)
  return { document, visit: new Visit(key, pass) }
}

export function forgetVisit(key: string): void {
  sessionStorage.removeItem(KEPT(key))
}
