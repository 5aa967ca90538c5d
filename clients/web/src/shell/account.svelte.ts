// Who is at the keyboard: somebody signed in, a stranger, or a guest of an open node.
import { isChosen, language, speak, t, LANGUAGES, type Language } from '@i18n'
import { COLORS, drawColor, fitColor } from '@ui/people'
import { api, endWith, onSignedOut, Refusal } from './api'
import { local } from '../device/local'

export interface User {
  readonly id: string
  readonly name: string
  readonly email: string
  readonly color: string
  readonly admin: boolean
  readonly language: string | null
}

/**
 * asking: the node has not answered yet. out: nobody. in: `user`. ended: `user` was, until just now;
 * what they see is still theirs to save. open: an open node, everybody is a guest.
 */
export type Status = 'asking' | 'out' | 'in' | 'ended' | 'open'

interface Session {
  readonly user: User | null
  readonly open?: boolean
  readonly mail?: boolean
  readonly invite?: boolean
}

interface Guest {
  readonly name: string
  readonly color: string
}

const KEPT = 'parvis.session'
const GUEST = 'parvis.guest'

class Account {
  status = $state<Status>('asking')
  user = $state<User | null>(null)
  /** The node sends mails; otherwise it writes them into its data folder. */
  mail = $state(false)
  /** This person may invite others. */
  invite = $state(false)
  /** The node did not answer: `user` is who was here last. */
  stale = $state(false)
  guest = $state<Guest>(keptGuest())
  readonly #leaving = new Set<(user: User) => Promise<void>>()

  constructor() {
    onSignedOut(() => this.#ended())
  }

  /** Somebody whose pages are shown: signed in, or a guest of an open node. */
  get isIn(): boolean {
    return this.status === 'in' || this.status === 'open' || this.status === 'ended'
  }

  get admin(): boolean {
    return this.user?.admin === true
  }

  /** Name and colour, as others see them. */
  get face(): Guest {
    return this.user ?? this.guest
  }

  /** Asks the node who is here. Without an answer whoever was here last goes on, offline. */
  async load(): Promise<void> {
    try {
      const session = await api.get<Session>('session')
      if (session.open) this.#nobody('open')
      else if (session.user) await this.#enter(session)
      else this.#nobody()
      this.mail = session.mail ?? false
      this.stale = false
    } catch (error) {
      if (!(error instanceof Refusal)) throw error
      const isNo = error.status === 401 || error.status === 403
      const kept = isNo ? null : keptSession()
      if (kept) {
        this.#become(kept)
        this.stale = true
      } else {
        this.#nobody()
        this.stale = !isNo
      }
    }
  }

  /** Asks whether the session still holds; `ended` if not. */
  async check(): Promise<void> {
    try {
      const session = await api.get<Session>('session')
      if (session.user === null && this.status === 'in') this.status = 'ended'
    } catch {
      // A refusal has been heard by `onSignedOut`; without an answer nothing is known.
    }
  }

  async signIn(email: string, password: string): Promise<void> {
    await this.#begin(() => api.post<Session>('session', { email, password }, { isProof: true }))
  }

  async setUp(secret: string, email: string, name: string, password: string): Promise<void> {
    await this.#begin(() => api.post<Session>('setup', { secret, email, name, password }))
  }

  /** Makes the account of somebody invited. Resolves with the page they were invited to. */
  async accept(secret: string, name: string, password: string): Promise<string> {
    const answer = await this.#begin(() => api.post<Session & { path?: string }>('invitations/accept', { secret, name, password, language: language() }))
    return answer.path || '/'
  }

  async reset(secret: string, password: string): Promise<void> {
    await this.#begin(() => api.post<Session>('password/reset', { secret, password }))
  }

  /** Changes what others see, or the language of mails. */
  async change(what: { name?: string; color?: string; language?: Language }): Promise<void> {
    if (this.status === 'open') {
      this.callGuest({ ...this.guest, ...what })
      return
    }
    const { user } = await api.patch<{ user: User }>('account', what)
    this.#become(user)
  }

  async changePassword(current: string, password: string): Promise<void> {
    const { user } = await api.post<{ user: User }>('account/password', { current, password }, { isProof: true })
    this.#become(user)
  }

  /** Ends the session and forgets what this browser keeps of it. Throws `Refusal` if the node does not hear. */
  async signOut(): Promise<void> {
    const { user } = this
    await endWith(async () => {
      await api.delete('session', { isLast: true })
      this.#nobody()
    })
    if (user) await Promise.all(Array.from(this.#leaving, (leave) => leave(user)))
  }

  /** Calls `leave` when `user` has signed out here: whatever is kept of them must go. */
  onLeave(leave: (user: User) => Promise<void>): void {
    this.#leaving.add(leave)
  }

  callGuest(guest: Guest): void {
    const name = guest.name.trim()
    if (!name) return
    this.guest = { name, color: guest.color }
    local.set(GUEST, JSON.stringify(this.guest))
  }

  async #begin<Answer extends Session>(ask: () => Promise<Answer>): Promise<Answer> {
    const before = this.status === 'ended' ? this.user : null
    const answer = await ask()
    if (!answer.user) throw new Refusal('strange_answer', 'the answer names nobody')
    // Somebody else's page must not go on with this one's session.
    if (before && before.id !== answer.user.id) {
      local.set(KEPT, JSON.stringify(answer.user))
      location.assign('/')
      return new Promise<Answer>(() => undefined)
    }
    await this.#enter(answer)
    // The answer of a sign-in says who, not what they may do.
    void this.load()
    return answer
  }

  async #enter(session: Session): Promise<void> {
    if (!session.user) return
    this.#become(session.user)
    this.invite = session.invite ?? session.user.admin
    const { language: theirs } = session.user
    if (theirs && LANGUAGES.includes(theirs as Language)) await speak(theirs as Language).catch(() => undefined)
    // Chosen before there was an account: now the mails can be in it, too.
    else if (isChosen()) void this.change({ language: language() }).catch(() => undefined)
  }

  #become(user: User): void {
    this.user = user
    this.status = 'in'
    local.set(KEPT, JSON.stringify(user))
  }

  #nobody(status: Status = 'out'): void {
    this.user = null
    this.invite = false
    this.status = status
    local.remove(KEPT)
  }

  #ended(): void {
    if (this.status === 'in') this.status = 'ended'
  }
}

function keptSession(): User | null {
  try {
    const kept = JSON.parse(local.get(KEPT) ?? 'null') as User | null
    return kept?.id ? kept : null
  } catch {
    return null
  }
}

/** The guest of this browser: a name and a colour, kept for the next visit. */
function keptGuest(): Guest {
  try {
    const kept = JSON.parse(local.get(GUEST) ?? 'null') as Partial<Guest> | null
    if (kept?.name && kept.color) return { name: kept.name, color: fitColor(kept.color) }
  } catch {
    // Nothing kept yet.
  }
  return { name: '', color: drawColor() }
}

/** A name for a guest who has not said one. */
export function guestName(guest: Guest): string {
  const number = 10 + (Math.max(0, (COLORS as readonly string[]).indexOf(guest.color)) + 1) * 7
  return guest.name || `${t('who.guest')} ${number}`
}

export const account = new Account()
