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
  const found = wanted === '' ? null : search(doc, anchor, wanted, start ?? end)
  // Somebody edited the text itself: the positions are right and the quote is old.
  if (isWhole && (found === null || !isBetter(doc, found, start, end, wanted))) return { id, state: 'exact', from: start, to: end }
  if (found === null) return { id, state: 'lost', from: null, to: null }
  const repaired = anchorOf(binding, doc, found.from, found.to)
  return { id, state: 'repaired', ...found, ...(repaired === null ? {} : { anchor: repaired }) }
}

/** Quotes of earlier versions and of the server may have line breaks between blocks. */
function squeeze(text: string): string {
  return text.replace(/\n/g, '')
}

function place(binding: Binding, stored: string | undefined): number | null {
  const position = stored === undefined ? null : decodePosition(stored)
  return position === null ? null : binding.absolute(position)
}

/** Whether the whole quote, found elsewhere, is what the positions once held and lost a part of. */
function isBetter(doc: Node, found: { from: number; to: number }, from: number, to: number, wanted: string): boolean {
  const kept = between(doc, from, to)
  return kept.length < wanted.length && wanted.includes(kept) && (found.from <= from && found.to >= to || found.from === from || found.to === to)
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
