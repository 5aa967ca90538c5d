// Which addresses may be links.
import schema from '@schema/docs'

const SCHEMES: ReadonlySet<string> = new Set(schema.limits.schemes)

/** As long as an address gets; the server's limit for a text is far above. */
const LONGEST = 2048

/**
 * The address as it may be followed: with one of the schema's schemes, or a path of this site.
 * `example.org` becomes `https://example.org`, `a@b.org` a mail address. Null for everything else,
 * above all for `javascript:` and `data:`, however they are disguised.
 */
export function safeLink(text: string): string | null {
  // Browsers drop these inside an address, so `java\nscript:` would pass as something else.
  const address = text.replace(/[\u0000-\u0020\u007f-\u009f\u200b-\u200f\u2028-\u202e\ufeff]+/g, '')
  if (address === '' || address.length > LONGEST) return null
  const scheme = /^([a-z][a-z0-9+.-]*):/i.exec(address)?.[1]?.toLowerCase()
  if (scheme !== undefined && SCHEMES.has(scheme)) return isComplete(address) ? address : null
  if (/^\/(?![/\\])/.test(address) || address.startsWith('#')) return address
  if (/^[^\s@/:]+@[^\s@/:]+\.[^\s@/:.]{2,}$/.test(address)) return `mailto:${address}`
  // A host, perhaps with a port: not a scheme.
  if (/^([\p{L}\p{N}-]+\.)+[\p{L}]{2,}(:\d{1,5})?([/?#].*)?$/u.test(address)) return `https://${address}`
  if (/^localhost(:\d{1,5})?([/?#].*)?$/.test(address)) return `http://${address}`
  return null
}

function isComplete(address: string): boolean {
  try {
    const { protocol, hostname, pathname } = new URL(address)
    return protocol.startsWith('http') ? hostname !== '' : pathname !== ''
  } catch {
    return false
  }
}

/** A pasted text that is nothing but one web or mail address. */
export function soleLink(text: string): string | null {
  const address = text.trim()
  return /^(https?:\/\/|mailto:|tel:)\S+$/i.test(address) ? safeLink(address) : null
}
