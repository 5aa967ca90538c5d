// What a comment is about, unit by unit, and every shared character that has ever stood for each.
//
// The shared document knows no move: whoever moves, splits or merges blocks deletes characters and writes
// others. A trace keeps all of them for the unit of the comment that they stand for. Those that are not
// deleted say where it is; an undo of any of these changes brings others of them back.
import * as Y from 'yjs'
import { type Outline, type Span, structsOf } from './outline'

/** Shared characters for the comment's units from `at` on. */
export interface Run extends Span {
  readonly at: number
  /** A copy: it counts only where no other stands for its unit. */
  readonly spare: boolean
}

/** A stretch of text inside one block that is `to - from` of the comment's units, from `at` on. */
export interface Piece {
  readonly from: number
  readonly to: number
  readonly at: number
  readonly spare: boolean
}

/** Traces with more runs than this forget what was deleted. */
const MOST_RUNS = 600

/** So many doubts are kept. */
const MOST_DOUBTS = 16

interface Stretch {
  readonly at: number
  readonly length: number
}

/** Stretches after `length` units were put in before unit `at`. */
function moved(stretches: readonly Stretch[], at: number, length: number): Stretch[] {
  return stretches.flatMap((one) => {
    if (one.at >= at) return [{ ...one, at: one.at + length }]
    const left = at - one.at
    return one.length <= left ? [one] : [{ ...one, length: left }, { at: at + length, length: one.length - left }]
  })
}

const isPart = (struct: Y.Item | Y.GC): struct is Y.Item => struct instanceof Y.Item && !struct.deleted && struct.countable

export class Trace {
  /** The comment's units, also those that are deleted. */
  words = ''
  runs: readonly Run[] = []
  #grown: readonly Stretch[] = []
  #doubted: readonly Stretch[] = []

  /** `text` was written within the comment: before its unit `at`. */
  grow(at: number, text: string): void {
    this.words = this.words.slice(0, at) + text + this.words.slice(at)
    this.#grown = [...moved(this.#grown, at, text.length), { at, length: text.length }]
    this.#doubted = moved(this.#doubted, at, text.length)
    this.runs = this.runs.flatMap((run): Run[] => {
      if (run.at >= at) return [{ ...run, at: run.at + text.length }]
      const left = at - run.at
      if (run.length <= left) return [run]
      return [{ ...run, length: left }, { ...run, clock: run.clock + left, length: run.length - left, at: at + text.length }]
    })
  }

  /** Notes that of equal words beside each other these may be the others: whoever changed them knows. */
  doubt(at: number, length: number): void {
    if (length > 0) this.#doubted = [...this.#doubted, { at, length }].slice(-MOST_DOUBTS)
  }

  /** Whether all of these units are in doubt. */
  isDoubted(at: number, length: number): boolean {
    return this.#doubted.some((one) => one.at <= at && at + length <= one.at + one.length)
  }

  /** Whether any of these units was the comment's from the beginning, and not put in since. */
  isOwn({ at, length }: Stretch): boolean {
    const grown = this.#grown.reduce((sum, one) => sum + Math.max(0, Math.min(at + length, one.at + one.length) - Math.max(at, one.at)), 0)
    return grown < length
  }

  /** The text of these units without what was put in since. */
  ownText(at: number, length: number): string {
    let text = ''
    for (let unit = at; unit < at + length; unit += 1) if (this.isOwn({ at: unit, length: 1 })) text += this.words.charAt(unit)
    return text
  }

  /** Notes that `span` stands for the units from `at` on, unless it is known to stand for any. */
  add(span: Span, at: number, spare: boolean): void {
    for (const part of this.unknown(span)) this.runs = [...this.runs, { ...part, at: at + part.clock - span.clock, spare }]
  }

  /** Notes that `spans` stand for nothing. */
  forget(spans: readonly Span[]): void {
    const before = this.runs
    this.runs = []
    for (const span of spans) this.add(span, 0, false)
    const kept = before.flatMap((run) => this.unknown(run).map((part): Run => ({ ...part, at: run.at + part.clock - run.clock, spare: run.spare })))
    this.runs = kept
  }

  /** The parts of `span` that stand for no unit yet. */
  unknown(span: Span): Span[] {
    let parts: Span[] = [span]
    for (const run of this.runs) {
      if (run.client !== span.client) continue
      const [first, last] = [run.clock, run.clock + run.length]
      if (last <= span.clock || first >= span.clock + span.length) continue
      parts = parts.flatMap((part) => {
        const end = part.clock + part.length
        if (last <= part.clock || first >= end) return [part]
        const rest: Span[] = []
        if (part.clock < first) rest.push({ ...part, length: first - part.clock })
        if (end > last) rest.push({ ...part, clock: last, length: end - last })
        return rest
      })
    }
    return parts
  }

  /** The unit that a shared character stands for, and how many after it go on so; null if none. */
  unitOf(client: number, clock: number): { at: number; length: number } | null {
    const run = this.runs.find((each) => each.client === client && each.clock <= clock && clock < each.clock + each.length)
    return run === undefined ? null : { at: run.at + clock - run.clock, length: run.clock + run.length - clock }
  }

  /** The runs that are not deleted, cut to what is there. */
  alive(doc: Y.Doc): Run[] {
    return this.#parts(doc, true)
  }

  /** The runs that are deleted. */
  dead(doc: Y.Doc): Run[] {
    return this.#parts(doc, false)
  }

  /** From now on these are what stands for the comment; what was deleted may come back. */
  settle(doc: Y.Doc, alive: readonly Run[]): void {
    const dead = this.dead(doc)
    this.runs = []
    for (const run of alive) this.add(run, run.at, run.spare)
    if (this.runs.length + dead.length > MOST_RUNS) return
    for (const run of dead) this.add(run, run.at, run.spare)
  }

  /** Where it stands, in the order of the document. */
  pieces(outline: Outline): Piece[] {
    const { doc } = outline.root
    if (doc === null) return []
    const found: Piece[] = []
    for (const run of this.runs) {
      for (const { struct, clock, length, offset } of structsOf(doc, run)) {
        const from = isPart(struct) ? outline.posOf(struct, offset) : null
        if (from !== null) found.push({ from, to: from + length, at: run.at + clock - run.clock, spare: run.spare })
      }
    }
    return joined(found)
  }

  #parts(doc: Y.Doc, alive: boolean): Run[] {
    const found: Run[] = []
    for (const run of this.runs) {
      for (const { struct, clock, length } of structsOf(doc, run)) {
        if (isPart(struct) !== alive) continue
        const last = found.at(-1)
        const at = run.at + clock - run.clock
        if (last !== undefined && last.client === run.client && last.clock + last.length === clock && last.at + last.length === at && last.spare === run.spare) found[found.length - 1] = { ...last, length: last.length + length }
        else found.push({ client: run.client, clock, length, at, spare: run.spare })
      }
    }
    return found
  }
}

/** Pieces in the order of the document, those in one that go on. */
export function joined(pieces: readonly Piece[]): Piece[] {
  const found: Piece[] = []
  for (const piece of [...pieces].sort((a, b) => a.from - b.from)) {
    const last = found.at(-1)
    if (last !== undefined && last.to === piece.from && last.at + last.to - last.from === piece.at && last.spare === piece.spare) found[found.length - 1] = { ...last, to: piece.to }
    else if (last === undefined || piece.from >= last.to) found.push(piece)
  }
  return found
}
