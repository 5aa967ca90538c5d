// The one live session of the page: the SDK's, with tickets of whoever is signed in.
import { clearDevice, connect, deviceDocuments, type Session, type SessionSignal, type Status } from '@parvis/client'
import { account, guestName } from './account.svelte'
import { api, Refusal } from './api'

interface Guest {
  readonly id: string
  readonly name: string
  readonly color: string
}

type Listener = (signal: SessionSignal) => void

const state = $state<{ status: Status; wanted: boolean; problem: unknown; generation: number }>({
  status: 'connecting',
  wanted: false,
  problem: null,
  generation: 0,
})
let session: Session | null = null
/** The page that asked for the session last: it may hold parts of it. */
let askedBy = ''
let owner: string | null = null
const listeners = new Set<Listener>()
const openers = new Set<() => void>()
/** Those whose work may be only in this tab: see `isAtRisk`. */
const risks = new Set<() => boolean>()

/** The name under which this browser keeps documents of a user. */
export function storageOf(id: string): string {
  return `user-${id}`
}

async function ticket(): Promise<string> {
  // Nobody is signed in any more: asking would only be refused again. `again` tries at once.
  if (account.status === 'ended') throw new Refusal('unauthenticated', 'the session has ended', { status: 401 })
  return (await api.post<{ ticket: string }>('ticket')).ticket
}

function open(id: string, tickets: () => Promise<string>, storage: string | null): Session {
  if (session && owner === id && session.status !== 'closed') return session
  void session?.close()
  const made = connect({ url: '/ws', ticket: tickets, storage, client: 'parvis-web' })
  session = made
  owner = id
  state.wanted = true
  state.status = made.status
  made.on('status', (status) => {
    if (session !== made) return
    state.status = status
    if (status === 'open') for (const opener of openers) opener()
  })
  // Signed out elsewhere, disabled, or the password was changed: the node says which when it is asked.
  made.on('closed', () => {
    if (session === made && account.status === 'in') void account.check()
  })
  made.on('signal', (signal) => {
    for (const listener of listeners) listener(signal)
  })
  made.on('storage', (problem) => (state.problem = problem))
  return made
}

function ofOwner(): Session {
  const { user } = account
  return user ? open(user.id, ticket, storageOf(user.id)) : open('guest', ticket, null)
}

export const live = {
  /** The live session of whoever is here; opened when it is first asked for. */
  session(): Session {
    askedBy = location.pathname
    return ofOwner()
  },

  /** Opens the session for its signals, for whoever needs no parts of rooms. */
  listen(): void {
    ofOwner()
  },

  /** A session of somebody who came by a link: `token` brings their room token. Nothing is kept here. */
  asGuest(guest: Guest, token: () => Promise<string>): Session {
    askedBy = location.pathname
    return open(`link-${guest.id}`, token, null)
  },

  /** Of the connection. Reactive. */
  get status(): Status {
    return state.status
  },

  /** There is a session, and it has lost its line. Reactive. */
  get isOffline(): boolean {
    return state.wanted && state.status === 'offline'
  },

  /** Why nothing can be kept on this device; null while it can. Reactive. */
  get problem(): unknown {
    return state.problem
  },

  /** Calls `listener` with every signal about the person who is signed in. Returns how to stop it. */
  onSignal(listener: Listener): () => void {
    listeners.add(listener)
    return () => listeners.delete(listener)
  },

  /** Calls `opener` whenever the session has opened, for the first time or again: signals may have been missed. */
  onOpen(opener: () => void): () => void {
    openers.add(opener)
    return () => openers.delete(opener)
  },

  /** Asks `risk` before somebody signs out: does it hold what is not on the server yet? */
  mayRisk(risk: () => boolean): () => void {
    risks.add(risk)
    return () => risks.delete(risk)
  },

  /** Whether signing out now would lose something, of this tab or of what this device keeps. */
  async isAtRisk(): Promise<boolean> {
    if (Array.from(risks).some((risk) => risk())) return true
    if (!account.user) return false
    try {
      // What has just come to the server is noted here a moment later: then nothing would be lost.
      await session?.settled()
      const kept = await deviceDocuments(storageOf(account.user.id))
      return kept.some(({ unsaved }) => unsaved)
    } catch {
      // Where nothing can be read nothing is kept.
      return false
    }
  },

  /** Tries to connect at once. */
  retry(): void {
    session?.retryNow()
    if (account.stale) void account.load()
  },

  /** Somebody has signed in again after their session ended: open parts go on. */
  again(): void {
    if (session?.status !== 'closed') return session?.retryNow()
    session = null
    if (askedBy === location.pathname) state.generation += 1
    else ofOwner()
  },

  /**
   * Grows when open parts belong to a session that has ended for good: pages are then made anew and
   * find on this device what had not been sent. Reactive.
   */
  get generation(): number {
    return state.generation
  },
}

/** Name for the guest of an open node, as others see it. */
export function faceOfGuest(): { name: string; color: string } {
  return { name: guestName(account.guest), color: account.guest.color }
}

account.onLeave(async (user) => {
  const leaving = session
  session = null
  owner = null
  state.wanted = false
  await leaving?.close()
  await clearDevice(storageOf(user.id))
})
