// What the page's address says: which document, which token, which set-up secret.

const FIRST_DOCUMENT = 'welcome'
const MAX_KEY_BYTES = 512

/**
 * The key of the document to show: `#key`, else `?room=key`, else the welcome document.
 * The fragment may carry a token after the key: `#key&token=…`.
 */
export function documentKey(): string {
  const [fragment = ''] = location.hash.slice(1).split('&')
  return decode(fragment) || new URLSearchParams(location.search).get('room') || FIRST_DOCUMENT
}

/** The room token in the address, or "" when the session cookie (or an open node) has to do. */
export function token(): string {
  const after = new URLSearchParams(location.hash.slice(1).split('&').slice(1).join('&'))
  return after.get('token') ?? new URLSearchParams(location.search).get('token') ?? ''
}

/** The one-time secret of `/setup#secret`; null when this is not the set-up page. */
export function setupSecret(): string | null {
  return location.pathname.replace(/\/$/, '') === '/setup' ? location.hash.slice(1) : null
}

/** The address to give to others. It carries no token: a token may be personal. */
export function linkTo(key: string): string {
  return `${location.origin}/#${encodeURIComponent(key)}`
}

/** Shows another document, keeping the token that this page was opened with. */
export function goTo(key: string): void {
  const kept = token()
  location.hash = encodeURIComponent(key) + (kept ? `&token=${encodeURIComponent(kept)}` : '')
}

/** Where this node answers the Hocuspocus protocol. */
export function socketAddress(): string {
  return `${location.protocol === 'https:' ? 'wss:' : 'ws:'}//${location.host}/hocuspocus`
}

/** `typed` as a key: without what pasting brings along (tabs, line breaks, other control characters). */
export function keyFrom(typed: string): string {
  return typed.replace(/[\s\p{Cc}\p{Cs}]+/gu, ' ').trim()
}

/** How many characters too long `key` is to name a document; 0 if it is short enough. */
export function excess(key: string): number {
  const characters = Array.from(key)
  let bytes = 0
  const fitting = characters.findIndex((character) => (bytes += bytesOf(character)) > MAX_KEY_BYTES)
  return fitting < 0 ? 0 : characters.length - fitting
}

function bytesOf(text: string): number {
  return new TextEncoder().encode(text).length
}

/** Whether `key` can name a document (SPEC.md section 3). */
export function canName(key: string): boolean {
  return key.trim() !== '' && bytesOf(key) <= MAX_KEY_BYTES && !/[\p{Cc}\p{Cs}]/u.test(key)
}

/** A fresh name that is easy to read aloud and hard to hit by accident. */
export function freshKey(): string {
  const letters = 'bcdfghjkmnpqrstvwxz23456789'
  const drawn = crypto.getRandomValues(new Uint8Array(10))
  const name = Array.from(drawn, (byte) => letters[byte % letters.length]).join('')
  return `${name.slice(0, 5)}-${name.slice(5)}`
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text // A stray percent sign, typed by hand: take it as it is.
  }
}
