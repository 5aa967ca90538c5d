// What an editor holds of a comment: its pieces, what is shown of them, and what changes do to both.
import type { Node } from '@tiptap/pm/model'
import type { Transaction } from '@tiptap/pm/state'
import type * as Y from 'yjs'
import type { Anchor } from './anchor'
import { resolve, storedOf } from './ends'
import { type Change, type Growth, type Lost, rangesIn } from './follow'
import { type Range, rangesOf } from './layout'
import type { Outline } from './outline'
import { revive } from './revive'
import { type SharedChange, spansOf } from './shared'
import type { Piece, Run, Trace } from './trace'

/** What the editor's state holds of a comment. */
export interface Held {
  readonly pieces: readonly Piece[]
  readonly ranges: readonly Range[]
  /** What changes made here did to it, since its trace was settled. */
  readonly grown: readonly Growth[]
  readonly lost: readonly Lost[]
}

export const NOWHERE: Held = { pieces: [], ranges: [], grown: [], lost: [] }
/** What the editor says of a paste and of a drop. */
const PUT_IN: ReadonlySet<unknown> = new Set(['paste', 'drop'])

export function heldOf(trace: Trace, outline: Outline, doc: Node): Held {
  const pieces = trace.pieces(outline)
  return { pieces, ranges: rangesOf(doc, pieces), grown: [], lost: [] }
}

/** Whether everybody finds these ranges by the stored anchor. */
export function isStored(outline: Outline, anchor: Anchor, ranges: readonly Range[]): boolean {
  const stored = anchor.a === null ? [] : resolve(outline, anchor.a)
  if (stored === 'unread') return false
  const wanted = storedOf(ranges)
  return stored.length === wanted.length && stored.every(({ alive }) => alive) && wanted.every(({ from, to }) => stored.some((each) => each.from === from && each.to === to))
}

export function shift<Part extends Range>(tr: Transaction, parts: readonly Part[]): Part[] {
  return parts.map((part) => ({ ...part, from: tr.mapping.map(part.from, 1), to: tr.mapping.map(part.to, -1) })).filter(({ from, to }) => from < to)
}

/** The whole of the text blocks that a range begins and ends in. */
export function blocksAround(doc: Node, from: number, to: number): Range {
  const [first, last] = [doc.resolve(from), doc.resolve(to)]
  return { from: first.parent.inlineContent ? first.start() : from, to: last.parent.inlineContent ? last.end() : to }
}

/** What was cut and is now put in. */
export function pasted(cut: readonly Lost[], change: Change, pieces: readonly Piece[]): Piece[] {
  const alive = pieces.map(({ from, to, at }) => ({ at, length: to - from }))
  return revive(cut, change.written.map(({ units }) => units.text), alive, PUT_IN.has(change.tr.getMeta('uiEvent'))).flatMap(({ at, length, come, to }): Piece[] => {
    const units = change.written[come]?.units
    if (units === undefined) return []
    return rangesIn(units, to, to + length).map(({ range, at: offset }) => ({ ...range, at: at + offset, spare: false }))
  })
}

/** What was cut and an undo has put in. */
export function recut(trace: Trace, cut: readonly Lost[], change: SharedChange, doc: Y.Doc): boolean {
  const { come } = change.lines
  const before = trace.runs
  for (const { at, length, come: index, to } of revive(cut, come.map(({ text }) => text), trace.alive(doc), false)) {
    const line = come[index]
    if (line !== undefined) for (const span of spansOf(line, to, length)) trace.add(span, at + span.offset, false)
  }
  return trace.runs !== before
}

export function runsAt(pieces: readonly Piece[], outline: Outline): Run[] {
  return pieces.flatMap(({ from, to, at, spare }) => {
    let offset = 0
    return outline.spansIn(from, to).map((span): Run => {
      const run = { ...span, at: at + offset, spare }
      offset += span.length
      return run
    })
  })
}
