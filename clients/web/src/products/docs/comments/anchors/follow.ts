// A change made in this editor: it says of every unit where it went.
import type { Node } from '@tiptap/pm/model'
import type { Transaction } from '@tiptap/pm/state'
import { type Link, link } from './links'
import { joined, type Piece } from './trace'
import { LEAF, type Units } from './units'

/** Units written within a comment: before its unit `at`. */
export interface Growth {
  readonly at: number
  readonly text: string
}

/** Units that a change took away, and the text it took away with them. */
export interface Lost {
  readonly at: number
  readonly length: number
  readonly text: string
  /** Which text of the change that is, and where in it. */
  readonly gone: number
  readonly offset: number
}

export interface Followed {
  readonly pieces: readonly Piece[]
  readonly grown: readonly Growth[]
  readonly lost: readonly Lost[]
}

interface Cut {
  readonly start: number
  readonly end: number
}

export const textIn = (doc: Node, from: number, to: number): string => doc.textBetween(from, to, '', LEAF)

/** A transaction, read once for all comments. */
export class Change {
  readonly tr: Transaction
  #reach: Cut | null = null
  #written: readonly { readonly units: Units; readonly start: number; readonly end: number }[] | null = null
  readonly #gone = new Map<string, { index: number; text: string }>()
  #links: { of: number; links: readonly Link[] } | null = null

  constructor(tr: Transaction) {
    this.tr = tr
  }

  /** What of the document before it reaches from the first to the last change. */
  get reach(): Cut {
    if (this.#reach !== null) return this.#reach
    let [start, end] = [Infinity, -Infinity]
    const { maps } = this.tr.mapping
    maps.forEach((map, step) => {
      const back = (pos: number, side: number): number => maps.slice(0, step).reduceRight((at, before) => before.invert().map(at, side), pos)
      map.forEach((oldStart, oldEnd) => {
        start = Math.min(start, back(oldStart, -1))
        end = Math.max(end, back(oldEnd, 1))
      })
    })
    return (this.#reach = { start, end })
  }

  before(step: number): Node {
    return this.tr.docs[step] ?? this.tr.before
  }

  /** What it has put in, in its last document. */
  get written(): readonly { readonly units: Units; readonly start: number; readonly end: number }[] {
    if (this.#written !== null) return this.#written
    const found: { start: number; end: number }[] = []
    this.tr.mapping.maps.forEach((map, step) => {
      const rest = this.tr.mapping.slice(step + 1)
      map.forEach((_, __, newStart, newEnd) => {
        const [start, end] = [rest.map(newStart, -1), rest.map(newEnd, 1)]
        if (start < end) found.push({ start, end })
      })
    })
    return (this.#written = found.map(({ start, end }) => ({ start, end, units: unitsIn(this.tr.doc, start, end) })).filter(({ units }) => units.text !== ''))
  }

  /** The text that `step` has taken away between two positions, and its number. */
  gone(step: number, start: number, end: number): { readonly index: number; readonly text: string } {
    const key = `${step} ${start} ${end}`
    let known = this.#gone.get(key)
    if (known === undefined) {
      known = { index: this.#gone.size, text: textIn(this.before(step), start, end) }
      this.#gone.set(key, known)
      this.#links = null
    }
    return known
  }

  /** Where the units from `offset` on of the text taken away `gone` are now. */
  linked(gone: number, offset: number, length: number): { readonly at: number; readonly range: { from: number; to: number }; readonly length: number }[] {
    const texts = [...this.#gone.values()].map(({ text }) => text)
    if (this.#links?.of !== texts.length) this.#links = { of: texts.length, links: link(texts, this.written.map(({ units }) => units.text)) }
    const found: { at: number; range: { from: number; to: number }; length: number }[] = []
    for (const one of this.#links.links) {
      if (one.gone !== gone) continue
      const first = Math.max(offset, one.from)
      const last = Math.min(offset + length, one.from + one.length)
      const units = this.written[one.come]?.units
      if (first >= last || units === undefined) continue
      for (const { range, at, size } of rangesIn(units, one.to + first - one.from, one.to + last - one.from)) found.push({ at: first - offset + at, range, length: size })
    }
    return found
  }
}

/** The units between two positions, with their positions. */
function unitsIn(doc: Node, from: number, to: number): Units {
  const texts: string[] = []
  const runs: { unit: number; pos: number }[] = []
  let unit = 0
  doc.nodesBetween(from, to, (node, pos) => {
    if (!node.isText && !node.isLeaf) return true
    const [first, last] = [Math.max(from, pos), Math.min(to, pos + node.nodeSize)]
    if (first >= last) return false
    const text = node.isText ? (node.text ?? '').slice(first - pos, last - pos) : LEAF
    const before = runs.at(-1)
    if (before === undefined || before.pos + unit - before.unit !== first) runs.push({ unit, pos: first })
    texts.push(text)
    unit += text.length
    return false
  })
  return { text: texts.join(''), runs }
}

/** The ranges that hold the units from `first` to before `last`, one for each block. */
export function rangesIn(units: Units, first: number, last: number): { range: { from: number; to: number }; at: number; size: number }[] {
  const found: { range: { from: number; to: number }; at: number; size: number }[] = []
  units.runs.forEach(({ unit, pos }, index) => {
    const end = units.runs[index + 1]?.unit ?? units.text.length
    const [from, to] = [Math.max(first, unit), Math.min(last, end)]
    if (from < to) found.push({ range: { from: pos + from - unit, to: pos + to - unit }, at: from - first, size: to - from })
  })
  return found
}

/** Where a comment's pieces are after `change`; null if it is beside all of them. */
export function follow(change: Change, before: readonly Piece[]): Followed | null {
  const { tr, reach } = change
  if (before.every(({ from, to }) => to < reach.start || from > reach.end)) return null
  let pieces = before
  const lost: Lost[] = []
  tr.mapping.maps.forEach((map, step) => {
    const cuts: (Cut & { shift: number })[] = []
    let shift = 0
    map.forEach((start, end, newStart, newEnd) => {
      shift += newEnd - newStart - (end - start)
      cuts.push({ start, end, shift })
    })
    pieces = pieces.flatMap((piece): Piece[] => {
      const parts: Piece[] = []
      let [at, moved] = [piece.from, 0]
      const keep = (to: number): void => {
        if (at < to) parts.push({ ...piece, from: at + moved, to: to + moved, at: piece.at + at - piece.from })
      }
      for (const cut of cuts) {
        if (cut.start >= piece.to) break
        keep(cut.start)
        const [first, last] = [Math.max(at, cut.start), Math.min(piece.to, cut.end)]
        if (first < last) {
          const { index, text } = change.gone(step, cut.start, cut.end)
          const offset = textIn(change.before(step), cut.start, first).length
          lost.push({ at: piece.at + first - piece.from, length: last - first, text, gone: index, offset })
        }
        at = Math.max(at, Math.min(piece.to, cut.end))
        moved = cut.shift
      }
      keep(piece.to)
      return parts
    })
  })
  const left: Lost[] = []
  const found: Piece[] = [...pieces]
  for (const each of lost) {
    const links = change.linked(each.gone, each.offset, each.length)
    for (const { at, range } of links) found.push({ ...range, at: each.at + at, spare: false })
    left.push(...without(each, links))
  }
  return grown(change, joined(found), left)
}

/** The parts of `lost` that were not found again. */
function without(lost: Lost, links: readonly { readonly at: number; readonly length: number }[]): Lost[] {
  const rest: Lost[] = []
  let at = 0
  for (const { at: first, length } of [...links].sort((a, b) => a.at - b.at)) {
    if (first > at) rest.push({ ...lost, at: lost.at + at, offset: lost.offset + at, length: first - at })
    at = Math.max(at, first + length)
  }
  if (at < lost.length) rest.push({ ...lost, at: lost.at + at, offset: lost.offset + at, length: lost.length - at })
  return rest
}

/** Text written between two units of a comment becomes part of it. */
function grown(change: Change, pieces: Piece[], lost: readonly Lost[]): Followed {
  const { doc } = change.tr
  const growths: Growth[] = []
  let now = pieces
  let gone = lost
  for (const { start, end } of change.written) {
    const parent = doc.resolve(start).parent
    if (!parent.inlineContent || doc.resolve(end).parent !== parent) continue
    // What of it is no part of the comment by its words.
    let from = start
    const gaps: Cut[] = []
    for (const piece of now) {
      if (piece.to <= start || piece.from >= end) continue
      if (piece.from > from) gaps.push({ start: from, end: piece.from })
      from = piece.to
    }
    if (from < end) gaps.push({ start: from, end })
    for (const gap of gaps) {
      const left = now.find((piece) => piece.to === gap.start)
      const right = now.find((piece) => piece.from === gap.end)
      if (left === undefined || right === undefined || left.at + left.to - left.from > right.at) continue
      const at = left.at + left.to - left.from
      const length = gap.end - gap.start
      growths.push({ at, text: textIn(doc, gap.start, gap.end) })
      now = joined([...now.map((piece) => (piece.at >= at ? { ...piece, at: piece.at + length } : piece)), { from: gap.start, to: gap.end, at, spare: false }])
      gone = gone.map((each) => (each.at >= at ? { ...each, at: each.at + length } : each))
    }
  }
  return { pieces: now, grown: growths, lost: gone }
}

