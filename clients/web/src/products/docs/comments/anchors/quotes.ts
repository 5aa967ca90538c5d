// Finding again what a comment was written about, by its words and what stood around them.

/** What a comment is about, in words: up to 32 units of context on both sides. */
export interface Quote {
  readonly text: string
  readonly prefix: string
  readonly suffix: string
}

export interface Found {
  readonly first: number
  readonly last: number
  /** 0 to 1: how much of the words is there. */
  readonly likeness: number
  /** 0 to 1: how much of the context is there. */
  readonly context: number
}

export const CONTEXT = 32
/** Below this likeness a passage is another one. */
export const ALIKE = 0.6
/** Quotes longer than this are compared by their ends. */
const LONG = 600
/** How many places in the text are looked at closely. */
const CANDIDATES = 8

/** `text` without what the borders of blocks add, as units have it. */
export const plain = (text: string): string => text.replaceAll('\n', '')

/** The quote of the units from `first` to before `last`. */
export function quoteAt(text: string, first: number, last: number): Quote {
  return {
    text: text.slice(first, last),
    prefix: text.slice(Math.max(0, first - CONTEXT), first),
    suffix: text.slice(last, last + CONTEXT),
  }
}

/** How much of `quote`'s context stands around the units from `first` to before `last`, from 0 to 1. */
export function contextAt(text: string, first: number, last: number, quote: Quote): number {
  const most = quote.prefix.length + quote.suffix.length
  if (most === 0) return 1
  let same = 0
  for (let back = 1; back <= quote.prefix.length && text[first - back] === quote.prefix.at(-back); back += 1) same += 1
  for (let on = 0; on < quote.suffix.length && text[last + on] === quote.suffix[on]; on += 1) same += 1
  return same / most
}

/** 1 for equal texts, 0 for texts that share nothing; by edit distance, long texts by their ends. */
export function likeness(one: string, other: string): number {
  if (one === other) return 1
  if (one === '' || other === '') return 0
  const longest = Math.max(one.length, other.length)
  if (longest > LONG) {
    const half = LONG / 2
    const sizes = Math.min(one.length, other.length) / longest
    return sizes * (likeness(one.slice(0, half), other.slice(0, half)) + likeness(one.slice(-half), other.slice(-half))) / 2
  }
  let before = Array.from({ length: other.length + 1 }, (_, index) => index)
  for (let row = 1; row <= one.length; row += 1) {
    const now = [row]
    for (let column = 1; column <= other.length; column += 1) {
      const kept = (before[column - 1] ?? 0) + (one[row - 1] === other[column - 1] ? 0 : 1)
      now.push(Math.min(kept, (before[column] ?? 0) + 1, (now[column - 1] ?? 0) + 1))
    }
    before = now
  }
  return 1 - (before[other.length] ?? longest) / longest
}

/**
 * The best place of `quote` in `text`, or null if nothing is alike.
 *
 * @param near the unit that a tie is decided by: the nearest wins.
 * @param expired asked now and then; true ends the search with the best so far.
 */
export function findQuote(text: string, quote: Quote, near: number, expired: () => boolean): Found | null {
  const wanted = plain(quote.text)
  if (wanted === '' || text === '') return null
  let best: Found | null = null
  const distance = (found: Found): number => Math.abs(found.first - near)
  const offer = (first: number, last: number): void => {
    if (first < 0 || last > text.length || first >= last) return
    const found = { first, last, likeness: likeness(text.slice(first, last), wanted), context: contextAt(text, first, last, quote) }
    if (best === null || weigh(found) > weigh(best) || (weigh(found) === weigh(best) && distance(found) < distance(best))) best = found
  }
  let exact = 0
  for (let at = text.indexOf(wanted); at !== -1 && exact < 1000; at = text.indexOf(wanted, at + 1)) {
    offer(at, at + wanted.length)
    exact += 1
    if (exact % 32 === 0 && expired()) return best
  }
  if (exact > 0) return best

  // Nothing is word for word there: pieces of the quote vote for where it begins.
  const size = Math.max(3, Math.min(12, Math.floor(wanted.length / 4)))
  const votes = new Map<number, number>()
  for (let start = 0; start + size <= wanted.length; start += Math.max(1, Math.floor(size / 2))) {
    const piece = wanted.slice(start, start + size)
    let hits = 0
    for (let at = text.indexOf(piece); at !== -1 && hits < 200; at = text.indexOf(piece, at + 1)) {
      const first = at - start
      const slot = Math.round(first / size)
      votes.set(slot, (votes.get(slot) ?? 0) + 1)
      hits += 1
    }
    if (expired()) break
  }
  const slots = [...votes].sort((a, b) => b[1] - a[1] || Math.abs(a[0] * size - near) - Math.abs(b[0] * size - near)).slice(0, CANDIDATES)
  for (const [slot] of slots) {
    const guess = slot * size
    const ends = edges(text, wanted, guess, size)
    if (ends !== null) offer(...ends)
    if (expired()) break
  }
  const winner = best as Found | null
  return winner !== null && winner.likeness >= ALIKE ? winner : null
}

/** Words count most; the context tells equal words apart. */
export const weigh = (found: Found): number => found.likeness * 4 + found.context

/**
 * The part of `text` that says most of `wanted` in its order, both of its ends being words of it; null if
 * hardly anything does. What was put in between counts little against it.
 */
export function align(text: string, wanted: string): { first: number; last: number; share: number } | null {
  const columns = wanted.length
  let scores = new Int32Array(columns + 1)
  let starts = new Int32Array(columns + 1)
  let best = { score: 0, first: 0, last: 0 }
  for (let row = 1; row <= text.length; row += 1) {
    const now = new Int32Array(columns + 1)
    const from = new Int32Array(columns + 1)
    for (let column = 1; column <= columns; column += 1) {
      const same = text[row - 1] === wanted[column - 1]
      const [diagonal, above, left] = [scores[column - 1] ?? 0, scores[column] ?? 0, now[column - 1] ?? 0]
      const kept = diagonal + (same ? MATCH : -MATCH)
      const gap = Math.max(above, left) - 1
      if (kept <= 0 && gap <= 0) continue
      if (kept >= gap) {
        now[column] = kept
        from[column] = diagonal > 0 ? (starts[column - 1] ?? 0) : row - 1
      } else {
        now[column] = gap
        from[column] = above >= left ? (starts[column] ?? 0) : (from[column - 1] ?? 0)
      }
      if (same && kept > best.score) best = { score: kept, first: from[column] ?? 0, last: row }
    }
    scores = now
    starts = from
  }
  const share = best.score / (MATCH * columns)
  return best.last > best.first ? { first: best.first, last: best.last, share } : null
}
const MATCH = 3

/** Where in `text`, about unit `guess`, the words of `wanted` begin and end. */
function edges(text: string, wanted: string, guess: number, size: number): [number, number] | null {
  const slack = Math.max(size * 2, Math.floor(wanted.length / 3))
  const from = Math.max(0, guess - slack)
  const around = text.slice(from, guess + wanted.length + slack)
  if (wanted.length > LONG) {
    const [head, tail] = [align(around, wanted.slice(0, CONTEXT)), align(around, wanted.slice(-CONTEXT))]
    return head === null || tail === null || head.first >= tail.last ? null : [from + head.first, from + tail.last]
  }
  const found = align(around, wanted)
  return found === null ? null : [from + found.first, from + found.last]
}
