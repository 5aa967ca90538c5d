// What the app says when the server says no, by HTTP or in a room: by its code, in the reader's language.
import { t, type Key } from '@i18n'
import { ErrorCode, ParvisError, Refused } from '@parvis/client'
import { toasts } from '@ui/toasts.svelte'
import { Refusal, SIGNED_OUT } from './api'

/** Code of an answer → what is said. Codes not listed fall back on their status. */
const WORDS: Readonly<Record<string, Key>> = {
  no_answer: 'refusal.no_answer',
  strange_answer: 'refusal.strange',
  unauthenticated: 'refusal.unauthenticated',
  permission_denied: 'refusal.permission_denied',
  set_up_closed: 'refusal.set_up_closed',
  invalid_account: 'refusal.invalid_account',
  email_taken: 'refusal.email_taken',
  link_gone: 'refusal.link_closed',
  weak_password: 'refusal.weak_password',
  conflict: 'refusal.conflict',
  too_large: 'refusal.too_large',
  internal: 'refusal.broken',
}
const STATUS: Readonly<Record<number, Key>> = {
  401: 'refusal.unauthenticated',
  403: 'refusal.permission_denied',
  404: 'refusal.not_found',
  409: 'refusal.conflict',
  410: 'refusal.not_found',
  413: 'refusal.too_large',
  500: 'refusal.broken',
  502: 'refusal.no_answer',
  503: 'refusal.busy',
  504: 'refusal.no_answer',
}
/** The same for what a room refuses. */
const ROOM: Readonly<Record<number, Key>> = {
  [ErrorCode.unauthenticated]: 'refusal.unauthenticated',
  [ErrorCode.permissionDenied]: 'refusal.permission_denied',
  [ErrorCode.roomNotFound]: 'refusal.not_found',
  [ErrorCode.roomDeleted]: 'refusal.not_found',
  [ErrorCode.tooLarge]: 'refusal.too_large',
  [ErrorCode.conflict]: 'refusal.conflict',
  [ErrorCode.refused]: 'refusal.conflict',
  [ErrorCode.tryAgain]: 'refusal.busy',
  [ErrorCode.internal]: 'refusal.broken',
}
const LENGTHS = /(\d+) to (\d+) characters/
const WAIT = 60

/** The sentence for what went wrong; `special` are a form's own words for some codes. */
export function words(error: unknown, special: Readonly<Record<string, Key>> = {}): string {
  if (error instanceof Refused) return t(ROOM[error.code] ?? 'refusal.unknown')
  if (error instanceof ParvisError) return t('refusal.no_answer')
  if (!(error instanceof Refusal)) return t('refusal.strange')
  const own = special[error.code]
  if (own !== undefined) return t(own)
  if (error.code === 'too_many_attempts' || error.status === 429) return t('refusal.too_many_attempts', { n: Math.ceil(error.wait) || WAIT })
  const [, least, most] = error.code === 'weak_password' ? (LENGTHS.exec(error.message) ?? []) : []
  if (least && most) return t('refusal.password_length', { least, most })
  return t(WORDS[error.code] ?? STATUS[error.status] ?? 'refusal.unknown')
}

/** What the server or the browser said itself, for whoever has to find out why. */
export function details(error: unknown): string {
  if (error instanceof ParvisError) return error.message
  if (!(error instanceof Refusal)) return String(error)
  return [`${error.code}: ${error.message}`, error.hint].filter(Boolean).join(' ')
}

/**
 * Shows what went wrong until somebody closes it; `what` says what could not be done. With `retry`
 * there is a button for it. An abort says nothing, nor does what signing out left unasked: somebody wanted it.
 */
export function report(error: unknown, what?: string, retry?: () => void): void {
  if (error instanceof DOMException && error.name === 'AbortError') return
  if (error instanceof Refusal && error.code === SIGNED_OUT) return
  const reason = words(error)
  toasts.error(what ? `${what} ${reason}` : reason, {
    details: details(error),
    ...(retry ? { action: { label: t('app.retry'), run: retry } } : {}),
  })
}
