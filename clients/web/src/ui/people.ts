// How people are drawn: their colours, what is readable on them, their initials.

/** Those that accounts may have: white text on each has a contrast of at least 4.5. */
export const COLORS = [
  '#c2410c', '#b91c1c', '#be185d', '#a21caf', '#7e22ce', '#4338ca', '#1d4ed8', '#0369a1',
  '#0e7490', '#0f766e', '#15803d', '#4d7c0f', '#a16207', '#92400e', '#475569', '#9f1239',
] as const
const NEUTRAL = '#6b6f76'
const DARK = '#1d2023'

/** A colour for somebody who has none yet, unlike those in `taken` while there are others. */
export function drawColor(taken: readonly string[] = []): string {
  const free = COLORS.filter((color) => !taken.includes(color))
  const choice = free.length > 0 ? free : COLORS
  const [byte = 0] = crypto.getRandomValues(new Uint8Array(1))
  return choice[byte % choice.length] as string
}

/** A colour fit for a style: others' states are their words, not ours. */
export function fitColor(color: unknown): string {
  return typeof color === 'string' && /^#[0-9a-f]{6}$/i.test(color) ? color : NEUTRAL
}

/** White or black, whichever reads better on `color`: other applications' people may be yellow. */
export function onColor(color: string): string {
  return contrast(color, '#ffffff') >= contrast(color, DARK) ? '#ffffff' : DARK
}

/** The first letters of the first and the last name. */
export function initials(name: string): string {
  const words = name.split(/\s+/).filter((word) => /^[\p{L}\p{N}]/u.test(word))
  const letters = words.length > 1 ? [words[0], words.at(-1)] : [words[0]]
  return letters.map((word) => Array.from(word ?? '')[0] ?? '').join('').toLocaleUpperCase()
}

function contrast(one: string, other: string): number {
  const [low = 0, high = 0] = [luminance(one), luminance(other)].sort((a, b) => a - b)
  return (high + 0.05) / (low + 0.05)
}

/** Relative luminance as WCAG 2.2 defines it, of `#rrggbb`. */
function luminance(color: string): number {
  const [red = 0, green = 0, blue = 0] = [1, 3, 5].map((at) => {
    const part = parseInt(color.slice(at, at + 2), 16) / 255
    return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4
  })
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue
}
