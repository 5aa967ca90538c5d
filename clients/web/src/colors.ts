// People's colours: which there are, which are free, and what is readable on them.

/** White text on each of these has a contrast of at least 4.6; each stands out on the dark page. */
const COLORS = ['#ba5751', '#b45e26', '#897412', '#37843d', '#1b8278', '#1a7caa', '#5072c2', '#8564b9', '#ae578b']
const NEUTRAL = '#6b6f76'
const DARK = '#1d2023'

/** A colour for somebody who has none yet, unlike those in `taken` while there are others. */
export function drawColor(taken: string[] = []): string {
  const free = COLORS.filter((color) => !taken.includes(color))
  const choice = free.length > 0 ? free : COLORS
  const [byte = 0] = crypto.getRandomValues(new Uint8Array(1))
  return choice[byte % choice.length] as string
}

/** A colour fit for a style sheet: others' states are their words, not ours. */
export function fitColor(color: unknown): string {
  return typeof color === 'string' && /^#[0-9a-f]{6}$/i.test(color) ? color : NEUTRAL
}

/** Paints `node` in `color`, and what is written on it in white or black, whichever reads better. */
export function paintIn(color: string, node: HTMLElement): void {
  node.style.setProperty('--person', color)
  // Other applications' people may be yellow.
  node.style.setProperty('--on-person', contrast(color, '#ffffff') >= contrast(color, DARK) ? '#ffffff' : DARK)
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
