// Where a comment stands: made from a stretch of text, and found again in a text that changed.
//
// Relative positions follow typing exactly, but a split, a join, a move or an undo makes new
// characters of the old ones, and then they point at nothing. The quote with its surroundings finds
// those again, and where the positions last pointed tells which of several alike is meant.
import type { Node } from '@tiptap/pm/model'
import type { Binding } from '../binding/binding'
import { decodePosition, encodePosition } from '../binding/positions'
import { hasId } from '../content/ids'
import type { Anchor, CommentPlace } from '../types'

/** Characters kept on each side of a quote. */
const AROUND = 32

/** Longer quotes are kept by their beginning and end; the middle says nothing more. */
const LONGEST_QUOTE = 2000

/** The text of a document in one line, with the place of each block in it. */
interface Line {
  text: string
  /** Rising: where the block's text begins in `text`, and where its inside begins in the document. */
  starts: number[]
  positions: number[]
}

const lines = new WeakMap<Node, Line>()

/** Blocks stand side by side without a break, so that a split or a join does not change the line. */
function lineOf(doc: Node): Line {
  const known = lines.get(doc)
  if (known !== undefined) return known
  const pieces: string[] = []
  const starts: number[] = []
  const positions: number[] = []
  let length = 0
  doc.descendants((node, pos) => {
    if (!node.isTextblock) return true
    const text = textOf(node)
    starts.push(length)
    positions.push(pos + 1)
    pieces.push(text)
    length += text.length
    return false
  })
  const line = { text: pieces.join(''), starts, positions }
  lines.set(doc, line)
  return line
}

const texts = new WeakMap<Node, string>()

/** One character for each place, so that offsets in it are places. */
function textOf(block: Node): string {
  let text = texts.get(block)
  if (text === undefined) {
    text = block.textBetween(0, block.content.size, undefined, '\ufffc')
    texts.set(block, text)
  }
  return text
}

function last(values: readonly number[], most: number): number {
  let low = 0
  let high = values.length
  while (low < high) {
    const middle = (low + high) >> 1
    if (values[middle]! <= most) low = middle + 1
    else high = middle
  }
  return low - 1
}

/** The offset in the line of a position; positions between blocks count as the next one's start. */
function offsetOf(line: Line, pos: number): number {
  const block = last(line.positions, pos)
  if (block < 0) return 0
  const end = line.starts[block + 1] ?? line.text.length
  return Math.min(line.starts[block]! + pos - line.positions[block]!, end)
}

/** The position of an offset; at a border the end of the block before if `isEnd`. */
function positionOf(line: Line, offset: number, isEnd: boolean): number {
  const block = Math.max(0, last(line.starts, isEnd ? offset - 1 : offset))
  return line.positions[block]! + offset - line.starts[block]!
}

/** The text between two positions, blocks side by side. */
function between(doc: Node, from: number, to: number): string {
  const line = lineOf(doc)
  return line.text.slice(offsetOf(line, from), offsetOf(line, to))
}

/** An anchor of a stretch of text; null if there is no text in it. */
export function anchorOf(binding: Binding, doc: Node, from: number, to: number): Anchor | null {
  const line = lineOf(doc)
  const start = offsetOf(line, from)
  const end = offsetOf(line, to)
  if (start >= end) return null
  const first = binding.relative(positionOf(line, start, false), 0, doc)
  const second = binding.relative(positionOf(line, end, true), -1, doc)
  const text = line.text.slice(start, end)
  const quote = text.length <= LONGEST_QUOTE ? text : text.slice(0, LONGEST_QUOTE)
  return {
    a: first === null || second === null ? null : { start: encodePosition(first), end: encodePosition(second) },
    quote: { text: quote, prefix: line.text.slice(Math.max(0, start - AROUND), start), suffix: line.text.slice(end, end + AROUND) },
    block: blockIdAt(doc, positionOf(line, start, false)),
  }
}

function blockIdAt(doc: Node, pos: number): string | null {
  const place = doc.resolve(pos)
  for (let depth = place.depth; depth > 0; depth -= 1) {
    const node = place.node(depth)
    if (hasId(node) && typeof node.attrs['id'] === 'string') return node.attrs['id']
  }
  return null
}

/** Where the anchor's text is now. */
export function findAnchor(binding: Binding, doc: Node, id: string, anchor: Anchor): CommentPlace {
  const start = place(binding, anchor.a?.start)
  const end = place(binding, anchor.a?.end)
  const wanted = squeeze(anchor.quote.text)
  const isWhole = start !== null && end !== null && start < end
  if (isWhole) {
    const now = between(doc, start, end)
    if (now === wanted || (wanted.length >= LONGEST_QUOTE && now.startsWith(wanted))) return { id, state: 'exact', from: start, to: end }
  }
  const found = wanted === '' ? null : (search(doc, anchor, wanted, start ?? end) ?? searchEnds(doc, anchor.quote, wanted))
  if (isWhole) {
    const line = lineOf(doc)
    const here = likeness(line, offsetOf(line, start), offsetOf(line, end), anchor.quote, wanted)
    const there = found === null ? 0 : likeness(line, offsetOf(line, found.from), offsetOf(line, found.to), anchor.quote, wanted)
    if (here >= there) return edited(binding, doc, id, start, end, here >= AROUND, wanted)
  }
  if (found === null) return { id, state: 'lost', from: null, to: null }
  const repaired = anchorOf(binding, doc, found.from, found.to)
  return { id, state: 'repaired', ...found, ...(repaired === null ? {} : { anchor: repaired }) }
}

/** How much a stretch is like the quote in its place: 32 for the same text, 32 for each side of it. */
function likeness(line: Line, from: number, to: number, { prefix, suffix }: Anchor['quote'], wanted: string): number {
  const text = line.text.slice(from, to)
  const shared = Math.min(sharedStart(text, wanted) + sharedEnd(text, wanted), text.length, wanted.length)
  const before = sharedEnd(line.text.slice(Math.max(0, from - AROUND), from), squeeze(prefix))
  const after = sharedStart(line.text.slice(to, to + AROUND), squeeze(suffix))
  return before + after + (AROUND * shared) / Math.max(text.length, wanted.length, 1)
}

/**
 * Somebody edited the text itself: the positions are right and the quote is old. A new quote will find
 * it after the next split. If a part is missing it may come back, by undo or a join, and if hardly
 * anything is like the quote the rest of it may: then the old one stays.
 */
function edited(binding: Binding, doc: Node, id: string, from: number, to: number, isLike: boolean, wanted: string): CommentPlace {
  const place = { id, from, to }
  if (!isLike || wanted.includes(between(doc, from, to))) return { ...place, state: 'exact' }
  const anchor = anchorOf(binding, doc, from, to)
  return anchor === null ? { ...place, state: 'exact' } : { ...place, state: 'repaired', anchor }
}

/** Quotes of earlier versions and of the server may have line breaks between blocks. */
function squeeze(text: string): string {
  return text.replace(/\n/g, '')
}

function place(binding: Binding, stored: string | undefined): number | null {
  const position = stored === undefined ? null : decodePosition(stored)
  return position === null ? null : binding.absolute(position)
}

/** The best place of the quote: the surroundings count most, then the block, then the distance. */
function search(doc: Node, anchor: Anchor, wanted: string, near: number | null): { from: number; to: number } | null {
  const line = lineOf(doc)
  const { prefix, suffix } = anchor.quote
  const around = near === null ? null : offsetOf(line, near)
  const block = blockOffset(doc, line, anchor.block)
  let best: { at: number; score: number } | null = null
  let tries = 0
  for (let at = line.text.indexOf(wanted); at >= 0 && tries < 10_000; at = line.text.indexOf(wanted, at + 1)) {
    tries += 1
    const before = sharedEnd(line.text.slice(Math.max(0, at - prefix.length), at), squeeze(prefix))
    const after = sharedStart(line.text.slice(at + wanted.length, at + wanted.length + suffix.length), squeeze(suffix))
    const distance = Math.min(
      around === null ? Infinity : Math.abs(at - around),
      block === null ? Infinity : at >= block.start && at <= block.end ? 0 : Math.abs(at - block.start),
    )
    const score = before + after - Math.min(16, Math.log2(1 + (distance === Infinity ? line.text.length : distance)))
    if (best === null || score > best.score) best = { at, score }
  }
  if (best === null) return null
  return { from: positionOf(line, best.at, false), to: positionOf(line, best.at + wanted.length, true) }
}

/** Less like the quote than this is not it, of 96. */
const LEAST_LIKENESS = 30

/**
 * The stretch whose beginning and end look like the quote's, where the text inside was changed and
 * moved at once. Null if nothing is like enough.
 */
function searchEnds(doc: Node, quote: Anchor['quote'], wanted: string): { from: number; to: number } | null {
  const line = lineOf(doc)
  const prefix = squeeze(quote.prefix)
  const suffix = squeeze(quote.suffix)
  const starts = new Set<number>()
  const ends = new Set<number>()
  for (const size of [16, 8, 5]) {
    const [before, first] = [prefix.slice(-size), wanted.slice(0, size)]
    const [last, after] = [wanted.slice(-size), suffix.slice(0, size)]
    for (const at of places(line.text, before + first)) starts.add(at + before.length)
    for (const at of places(line.text, before)) starts.add(at + before.length)
    for (const at of places(line.text, first)) starts.add(at)
    for (const at of places(line.text, last + after)) ends.add(at + last.length)
    for (const at of places(line.text, last)) ends.add(at + last.length)
    for (const at of places(line.text, after)) ends.add(at)
  }
  let best: { from: number; to: number; score: number } | null = null
  for (const from of starts) {
    for (const to of ends) {
      if (to <= from || to - from > 3 * wanted.length + 2 * AROUND) continue
      const text = line.text.slice(from, to)
      // The whole quote is there, with something new in its middle.
      const isWhole = sharedStart(text, wanted) + sharedEnd(text, wanted) >= wanted.length
      const score = likeness(line, from, to, quote, wanted) + (isWhole ? AROUND : 0)
      if (score >= LEAST_LIKENESS && (best === null || score > best.score)) best = { from, to, score }
    }
  }
  return best === null ? null : { from: positionOf(line, best.from, false), to: positionOf(line, best.to, true) }
}

/** Where `piece` stands; none for pieces too short to say anything, and no more than can be weighed. */
function places(text: string, piece: string): number[] {
  const found: number[] = []
  if (piece.length < 4) return found
  for (let at = text.indexOf(piece); at >= 0 && found.length < 30; at = text.indexOf(piece, at + 1)) found.push(at)
  return found
}

function blockOffset(doc: Node, line: Line, id: string | null): { start: number; end: number } | null {
  if (id === null) return null
  let found: { start: number; end: number } | null = null
  doc.descendants((node, pos) => {
    if (found !== null || !node.isBlock) return false
    if (node.attrs['id'] !== id) return !node.isTextblock
    found = { start: offsetOf(line, pos + 1), end: offsetOf(line, pos + node.nodeSize - 1) }
    return false
  })
  return found
}

function sharedStart(one: string, other: string): number {
  let length = 0
  while (length < one.length && length < other.length && one[length] === other[length]) length += 1
  return length
}

function sharedEnd(one: string, other: string): number {
  let length = 0
  while (length < one.length && length < other.length && one[one.length - 1 - length] === other[other.length - 1 - length]) length += 1
  return length
}
