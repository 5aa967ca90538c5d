// After a change of the shared document: which of its characters stand for a comment's units now.
import type { Node } from '@tiptap/pm/model'
import * as Y from 'yjs'
import { type Lost, textIn } from './follow'
import { SEED } from './links'
import { type Outline, type Span, structsOf } from './outline'
import { type Line, type SharedChange, spansOf } from './shared'
import type { Trace } from './trace'

/** Follows what `change` deleted to where it wrote the same words again; null if it deleted nothing of the comment. */
export function rejoin(trace: Trace, change: SharedChange): Lost[] | null {
  if (!change.hasDeleted) return null
  const deleted = trace.runs.flatMap((run) => change.deletedIn(run).map((span) => ({ ...span, at: run.at + span.clock - run.clock, spare: run.spare })))
  if (deleted.length === 0) return null
  const lost: Lost[] = []
  const found: { unit: number; to: number; length: number; line: Line }[] = []
  const { gone, come } = change.lines
  for (const part of deleted) {
    gone.forEach((line, index) => {
      for (const { client, clock, length, offset } of line.spans) {
        if (client !== part.client) continue
        const first = Math.max(clock, part.clock)
        const last = Math.min(clock + length, part.clock + part.length)
        if (first >= last) continue
        const at = part.at + first - part.clock
        const from = offset + first - clock
        lost.push({ at, length: last - first, text: line.text, gone: index, offset: from })
        for (const link of change.links) {
          if (link.gone !== index) continue
          const start = Math.max(from, link.from)
          const end = Math.min(from + last - first, link.from + link.length)
          const into = come[link.come]
          if (start >= end || into === undefined) continue
          const [unit, to] = [at + start - from, link.to + start - link.from]
          for (const span of spansOf(into, to, end - start)) trace.add(span, unit + span.offset, part.spare)
          found.push({ unit, to, length: end - start, line: into })
        }
      }
    })
  }
  for (const each of found) extend(trace, each)
  for (const each of lost) doubt(trace, each)
  return lost
}

/** Of "e where e" one "e " is left: the shared document does not say which one was deleted. */
function doubt(trace: Trace, { at, length, text, offset }: Lost): void {
  const { words } = trace
  let [before, after] = [0, 0]
  if (offset === 0) while (before < at && before < text.length && words[at - before - 1] === text[text.length - before - 1]) before += 1
  trace.doubt(at - before, before)
  const end = at + length
  if (offset + length === text.length) while (end + after < words.length && after < text.length && words[end + after] === text[after]) after += 1
  trace.doubt(end, after)
}

/** Somebody else's copy may hold more of the comment than was there to be moved. */
function extend(trace: Trace, { unit, to, length, line }: { unit: number; to: number; length: number; line: Line }): void {
  const [back, on] = agreement(trace.words, unit, unit + length, line.text, to, to + length)
  for (const [first, size] of [[-back, back], [length, on]] as const) {
    const spans = spansOf(line, to + first, size)
    const unknown = spans.reduce((sum, span) => sum + trace.unknown(span).reduce((units, part) => units + part.length, 0), 0)
    // A few letters agree by chance.
    if (unknown >= SEED) for (const span of spans) trace.add(span, unit + first + span.offset, true)
  }
}

/** How many units agree before and after two equal stretches. */
function agreement(words: string, first: number, last: number, text: string, from: number, to: number): [number, number] {
  let [back, on] = [0, 0]
  while (back < first && back < from && words[first - back - 1] === text[from - back - 1]) back += 1
  while (last + on < words.length && to + on < text.length && words[last + on] === text[to + on]) on += 1
  return [back, on]
}

/** Takes over what this client's undo has brought back: it alone knows. Returns whether anything was. */
export function redone(trace: Trace, doc: Y.Doc): boolean {
  let hasFound = false
  // What was brought back may have been deleted and brought back again.
  for (let round = 0; round < 64; round += 1) {
    const before = trace.runs
    for (const run of trace.dead(doc)) {
      for (const { struct, clock, length, offset } of structsOf(doc, run)) {
        if (!(struct instanceof Y.Item) || struct.redone === null) continue
        const { client, clock: first } = struct.redone
        trace.add({ client, clock: first + offset, length }, run.at + clock - run.clock, run.spare)
      }
    }
    if (trace.runs === before) return hasFound
    hasFound = true
  }
  return hasFound
}

/**
 * What `change` wrote between two units of the comment becomes part of it.
 *
 * @param most so many units at once: an undo may bring back what has never been part of it.
 */
export function growShared(trace: Trace, outline: Outline, doc: Node, change: SharedChange, most: number): void {
  let pieces = trace.pieces(outline)
  for (let index = 1; index < pieces.length; index += 1) {
    const [left, right] = [pieces[index - 1], pieces[index]]
    if (left === undefined || right === undefined || left.to >= right.from) continue
    const at = left.at + left.to - left.from
    if (at > right.at || left.spare !== right.spare || doc.resolve(left.to).parent !== doc.resolve(right.from).parent) continue
    if (right.from - left.to > most) continue
    const spans = outline.spansIn(left.to, right.from)
    if (!spans.every((span) => isNew(span, change) && trace.unknown(span).length === 1)) continue
    trace.grow(at, textIn(doc, left.to, right.from))
    let offset = 0
    for (const span of spans) {
      trace.add(span, at + offset, left.spare)
      offset += span.length
    }
    pieces = trace.pieces(outline)
    index = 0
  }
}

const isNew = ({ client, clock }: Span, change: SharedChange): boolean => change.isNew(client, clock)
