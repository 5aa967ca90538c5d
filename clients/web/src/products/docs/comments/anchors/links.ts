// Which of the written text is the deleted text again: a move, a split or a merge, told by the words.

/** `length` units at `from` of deleted text `gone` are those at `to` of written text `come`. */
export interface Link {
  readonly gone: number
  readonly from: number
  readonly come: number
  readonly to: number
  readonly length: number
}

/** So many units in a row that agree are no chance within one change. */
export const SEED = 8
/** So many places are tried for one seed. */
const MOST_PLACES = 32
/** Texts of more units than this, together, are compared as wholes only. */
const MOST_UNITS = 400_000

/** Links each part of the deleted texts with at most one part of the written ones, the longest first. */
export function link(gone: readonly string[], come: readonly string[]): Link[] {
  const links: Link[] = []
  const taken = new Set<number>()
  const left: number[] = []
  const byText = new Map<string, number[]>()
  come.forEach((text, index) => byText.set(text, [...(byText.get(text) ?? []), index]))
  gone.forEach((text, index) => {
    const whole = byText.get(text)?.shift()
    if (whole === undefined) {
      left.push(index)
      return
    }
    taken.add(whole)
    if (text !== '') links.push({ gone: index, from: 0, come: whole, to: 0, length: text.length })
  })
  const free = come.map((_, index) => index).filter((index) => !taken.has(index))
  const size = [...left.map((index) => gone[index]), ...free.map((index) => come[index])].reduce((sum, text) => sum + (text?.length ?? 0), 0)
  if (left.length === 0 || free.length === 0 || size > MOST_UNITS) return links
  return links.concat(parts(gone, left, come, free))
}

function parts(gone: readonly string[], left: readonly number[], come: readonly string[], free: readonly number[]): Link[] {
  const seeds = new Map<string, { come: number; to: number }[]>()
  for (const index of free) {
    const text = come[index] ?? ''
    for (let to = 0; to + SEED <= text.length; to += 1) {
      const seed = text.slice(to, to + SEED)
      const places = seeds.get(seed)
      if (places === undefined) seeds.set(seed, [{ come: index, to }])
      else if (places.length < MOST_PLACES) places.push({ come: index, to })
    }
  }
  const found: Link[] = []
  for (const index of left) {
    const text = gone[index] ?? ''
    const seen = new Set<string>()
    for (let from = 0; from + SEED <= text.length; from += 1) {
      for (const { come: at, to } of seeds.get(text.slice(from, from + SEED)) ?? []) {
        const other = come[at] ?? ''
        // One way along the same diagonal.
        if (from > 0 && to > 0 && text[from - 1] === other[to - 1]) continue
        const key = `${at} ${to - from} ${from}`
        if (seen.has(key)) continue
        seen.add(key)
        let length = SEED
        while (from + length < text.length && to + length < other.length && text[from + length] === other[to + length]) length += 1
        found.push({ gone: index, from, come: at, to, length })
      }
    }
  }
  return chosen(found)
}

/** Of links that contradict each other the longest; of equally long ones the first. */
function chosen(found: readonly Link[]): Link[] {
  const links: Link[] = []
  const isFree = (one: Link): boolean => links.every((other) =>
    (other.gone !== one.gone || other.from + other.length <= one.from || one.from + one.length <= other.from) &&
    (other.come !== one.come || other.to + other.length <= one.to || one.to + one.length <= other.to))
  for (const candidate of [...found].sort((a, b) => b.length - a.length || a.gone - b.gone || a.from - b.from || a.to - b.to)) {
    const cut = trimmed(candidate, links)
    if (cut !== null && isFree(cut)) links.push(cut)
  }
  return links
}

/** What of `one` is left beside the links chosen before it, if that is one stretch worth keeping. */
function trimmed(one: Link, links: readonly Link[]): Link | null {
  let [start, end] = [0, one.length]
  for (const other of links) {
    const starts = [...(other.gone === one.gone ? [other.from - one.from] : []), ...(other.come === one.come ? [other.to - one.to] : [])]
    for (const first of starts) {
      const last = first + other.length
      if (last <= start || first >= end) continue
      if (first - start >= end - last) end = Math.max(start, first)
      else start = Math.min(end, last)
    }
  }
  const length = end - start
  if (length === one.length) return one
  return length < SEED ? null : { ...one, from: one.from + start, to: one.to + start, length }
}
