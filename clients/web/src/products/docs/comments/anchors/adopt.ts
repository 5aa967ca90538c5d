// Taking over what somebody else knows of a comment's place: the anchor that they have stored.
//
// An anchor adds: what this client knows of the comment besides, by having moved it or by having read how
// it was moved, stays known. So an anchor that was written before a change, and comes after it, does no harm.
// It takes away only what stands directly beside it: of "the the" the one who wrote the second knows which.
import type { Node } from '@tiptap/pm/model'
import type { Stretch } from './ends'
import { textIn } from './follow'
import { link, SEED } from './links'
import type { Outline, Span } from './outline'
import type { Piece, Run, Trace } from './trace'

/** Begins a trace with what stands at `stretches`. */
export function begin(trace: Trace, stretches: readonly { readonly from: number; readonly to: number }[], outline: Outline, doc: Node): void {
  for (const { from, to } of stretches) {
    for (const span of outline.spansIn(from, to)) {
      trace.add(span, trace.words.length, false)
      trace.words += ' '.repeat(span.length)
    }
  }
  trace.words = stretches.map(({ from, to }) => textIn(doc, from, to)).join('')
}

interface Part {
  readonly spans: readonly Span[]
  readonly text: string
  /** The comment's unit that it stands for, if that is known. */
  readonly at: number | null
}

/** Adds what stands at `stretches` to what is known. */
export function adopt(trace: Trace, stretches: readonly Stretch[], outline: Outline, doc: Node): void {
  const { doc: shared } = outline.root
  if (shared === null) return
  const isWhole = stretches.every(({ alive }) => alive)
  const told: Span[] = []
  /** The unit that would come next. */
  let next = 0
  for (const { from, to } of stretches) {
    const spans = outline.spansIn(from, to)
    told.push(...spans)
    const parts = partsOf(trace, spans, textIn(doc, from, to))
    parts.forEach((part, index) => {
      // What was added before may have moved the units after it, so they are asked for anew.
      const after = parts[index + 1]?.spans[0]
      const limit = after === undefined ? null : (trace.unitOf(after.client, after.clock)?.at ?? null)
      next = part.at === null ? place(trace, part, next, limit, isWhole) : unitAfter(trace, part.spans)
    })
  }
  if (!isWhole || stretches.length === 0) return
  prefer(trace, told, shared)
  const beside = besides(trace, stretches, told, outline, doc)
  if (beside.length > 0) trace.forget(beside)
}

/**
 * What stands directly beside `stretches` and was taken for a part of the comment only because the same
 * words were written before or after it: the shared document cannot say which of two equal words is new.
 */
function besides(trace: Trace, stretches: readonly Stretch[], told: readonly Span[], outline: Outline, doc: Node): Span[] {
  const found: Span[] = []
  for (const piece of trace.pieces(outline).flatMap((each) => untold(each, stretches))) {
    const own = trace.ownText(piece.at, piece.to - piece.from)
    const isDoubted = trace.isDoubted(piece.at, piece.to - piece.from)
    const isOther = stretches.some(({ from, to }) => (piece.to === from && (isDoubted || textIn(doc, from, to).startsWith(own))) || (piece.from === to && (isDoubted || textIn(doc, from, to).endsWith(own))))
    if (isOther) found.push(...outline.spansIn(piece.from, piece.to))
  }
  return found.filter((span) => !told.some((one) => one.client === span.client && one.clock <= span.clock && span.clock < one.clock + one.length))
}

/** The parts of a piece outside of `stretches`. */
function untold(piece: Piece, stretches: readonly Stretch[]): Piece[] {
  let parts: Piece[] = [piece]
  for (const { from, to } of stretches) {
    parts = parts.flatMap((part) => {
      if (to <= part.from || from >= part.to) return [part]
      return [{ ...part, to: from }, { ...part, from: to, at: part.at + to - part.from }].filter((rest) => rest.from < rest.to)
    })
  }
  return parts
}

function unitAfter(trace: Trace, spans: readonly Span[]): number {
  const last = spans.at(-1)
  return last === undefined ? 0 : (trace.unitOf(last.client, last.clock + last.length - 1)?.at ?? -1) + 1
}

/** Cuts a stretch into what is known, and unknown text as long as it goes. */
function partsOf(trace: Trace, spans: readonly Span[], text: string): Part[] {
  const parts: Part[] = []
  let offset = 0
  for (const span of spans) {
    for (let clock = span.clock; clock < span.clock + span.length; ) {
      const unit = trace.unitOf(span.client, clock)
      const length = unit === null ? 1 : Math.min(span.clock + span.length - clock, unit.length)
      const piece = { client: span.client, clock, length }
      const said = text.slice(offset, offset + length)
      const last = parts.at(-1)
      if (unit === null && last?.at === null) parts[parts.length - 1] = { spans: [...last.spans, piece], text: last.text + said, at: null }
      else parts.push({ spans: [piece], text: said, at: unit?.at ?? null })
      clock += length
      offset += length
    }
  }
  return parts
}

/** Finds the units that unknown text stands for; returns the unit after it. */
function place(trace: Trace, { spans, text }: Part, next: number, limit: number | null, isWhole: boolean): number {
  const { words } = trace
  const { length } = text
  const isSpare = !isWhole
  // Ends that are gone lead roughly where they were: a few letters there agree by chance.
  if (isSpare && length < SEED) return next
  const add = (at: number, from: number, to: number): void => {
    let offset = 0
    for (const span of spans) {
      const [first, last] = [Math.max(from, offset), Math.min(to, offset + span.length)]
      if (first < last) trace.add({ ...span, clock: span.clock + first - offset, length: last - first }, at + first - from, isSpare)
      offset += span.length
    }
  }
  if (words.startsWith(text, next) && (limit === null || next + length <= limit)) {
    add(next, 0, length)
    return next + length
  }
  if (limit !== null && limit - length >= 0 && words.slice(limit - length, limit) === text) {
    add(limit - length, 0, length)
    return limit
  }
  for (const one of link([words.slice(0, limit ?? words.length)], [text])) add(one.from, one.to, one.to + one.length)
  // The rest was written within the comment by whoever stored this.
  let [offset, at] = [0, next]
  for (const span of isWhole ? spans : []) {
    for (let clock = span.clock; clock < span.clock + span.length; clock += 1) {
      const unit = trace.unitOf(span.client, clock)
      if (unit === null) {
        trace.grow(at, text.charAt(offset))
        trace.add({ client: span.client, clock, length: 1 }, at, false)
      }
      at = unit === null ? at + 1 : unit.at + 1
      offset += 1
    }
  }
  return isWhole ? at : next
}

/** Of copies that one counts which was told. */
function prefer(trace: Trace, told: readonly Span[], doc: Parameters<Trace['alive']>[0]): void {
  const isTold = (client: number, clock: number): boolean => told.some((span) => span.client === client && span.clock <= clock && clock < span.clock + span.length)
  const alive = trace.alive(doc)
  const units = new Set<number>()
  const parts: { run: Run; told: boolean }[] = []
  for (const run of alive) {
    // Cut where it begins or ends to be told.
    let start = 0
    for (let index = 1; index <= run.length; index += 1) {
      const was = isTold(run.client, run.clock + start)
      if (index < run.length && isTold(run.client, run.clock + index) === was) continue
      parts.push({ run: { ...run, clock: run.clock + start, at: run.at + start, length: index - start }, told: was })
      start = index
    }
  }
  for (const { run, told: is } of parts) if (is) for (let index = 0; index < run.length; index += 1) units.add(run.at + index)
  const settled = parts.flatMap(({ run, told: is }): Run[] => {
    if (is) return [{ ...run, spare: false }]
    let isCopy = true
    for (let index = 0; index < run.length && isCopy; index += 1) isCopy = units.has(run.at + index)
    return [{ ...run, spare: run.spare || isCopy }]
  })
  trace.settle(doc, settled)
}
