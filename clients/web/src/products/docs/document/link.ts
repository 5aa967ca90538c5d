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
function visitKept(key: string): Visit | null {
  const pass = kept(key)
  return pass === null ? null : new Visit(key, pass)
}

/** How somebody stands at the door of a document. */
interface Entrance {
  /** As the link showed it; null without a link. */
  readonly document: Doc | null
  /** Null for members, who come in as themselves. */
  readonly visit: Visit | null
  /** A guest who may write is to say a name first. */
  readonly isNameless: boolean
}

/**
 * Enters by the link's `secret` if there is one, under no name in particular if `name` is empty. A stranger
 * without one goes on with the visit that this tab has been on, if any. Throws `Refusal`.
 */
export async function comeIn(key: string, secret: string | null, name: string, isStranger: boolean): Promise<Entrance> {
  const before = isStranger ? visitKept(key) : null
  if (secret === null) return { document: null, visit: before, isNameless: false }
  // Whoever was in before, by the same link and with a name, comes back as the same.
  if (before !== null && name === '' && before.name !== '') return { document: null, visit: before, isNameless: false }
  const { document, guest, token, expires_in } = await openLink(key, secret, name || t('guest.someone'))
  if (guest === undefined || token === undefined) return { document, visit: null, isNameless: false }
  if (name !== '') local.set(NAME, name)
  const pass = { secret, name, guest, token, until: Date.now() / 1000 + (expires_in ?? 600) }
  keep(key, pass)
  const mayWrite = document.capabilities.some((each) => each === 'edit' || each === 'comment')
  return { document, visit: new Visit(key, pass), isNameless: mayWrite && name === '' }
}

export function forgetVisit(key: string): void {
  sessionStorage.removeItem(KEPT(key))
}
