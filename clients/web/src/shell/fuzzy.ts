// Finding a command by some of its letters: "nd" finds "New document".

/** A text that fits, and where in it the letters of the query stand. */
export interface Fit {
  /** The higher the better; only compares fits of one query. */
  readonly score: number
  readonly at: readonly number[]
}

const START_OF_TEXT = 12
const START_OF_WORD = 8
const IN_A_ROW = 6
const ANYWHERE = 1
/** A gap costs, but never as much as a letter is worth. */
const GAP = 0.05

/** Without accents and capitals, letter by letter, so that places stay what they were. */
export function fold(text: string): string {
  return Array.from(text.normalize('NFC'), (letter) => letter.normalize('NFD').replace(/\p{M}/gu, '').toLowerCase().slice(0, 1) || letter).join('')
}

/**
 * How well `text` fits `query`; null if it lacks one of its letters. Each word of the query is looked
 * for on its own, in any order, first as it stands and then letter by letter.
 */
export function fit(query: string, text: string): Fit | null {
  const words = fold(query).split(/\s+/).filter(Boolean)
  const folded = fold(text)
  const at = new Set<number>()
  let score = 0
  for (const word of words) {
    const found = whole(word, folded) ?? scattered(word, folded)
    if (!found) return null
    score += found.score
    for (const place of found.at) at.add(place)
  }
  // Of two that fit alike the shorter one is meant.
  return { score: score - folded.length * 0.01, at: [...at].sort((a, b) => a - b) }
}

function startsWord(text: string, at: number): boolean {
  return at === 0 || !/[\p{L}\p{N}]/u.test(text.charAt(at - 1))
}

function whole(word: string, text: string): Fit | null {
  let best = text.indexOf(word)
  if (best < 0) return null
  for (let at = best; at >= 0; at = text.indexOf(word, at + 1)) {
    if (startsWord(text, at)) {
      best = at
      break
    }
  }
  const start = best === 0 ? START_OF_TEXT : startsWord(text, best) ? START_OF_WORD : ANYWHERE
  return { score: start + word.length * IN_A_ROW, at: Array.from(word, (_, index) => best + index) }
}

function scattered(word: string, text: string): Fit | null {
  // One letter here and one there in the middle of words means nothing: the first must begin a word.
  const at: number[] = []
  let score = 0
  let from = 0
  for (const letter of word) {
    let place = text.indexOf(letter, from)
    const next = at.length > 0 && place === from
    for (let other = place; other >= 0 && !next; other = text.indexOf(letter, other + 1)) {
      if (startsWord(text, other)) {
        place = other
        break
      }
    }
    if (place < 0 || (at.length === 0 && !startsWord(text, place))) return null
    score += next ? IN_A_ROW : startsWord(text, place) ? START_OF_WORD : ANYWHERE - GAP * (place - from)
    at.push(place)
    from = place + 1
  }
  return { score: score - IN_A_ROW, at }
}
