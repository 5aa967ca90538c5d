// What this client has cut and pastes: the comment comes along.
import type { Growth, Lost } from './follow'

/** A lost stretch, or a part of it, that is in one of the written texts. */
export interface Revived {
  readonly at: number
  readonly length: number
  /** Which written text, and where in it. */
  readonly come: number
  readonly to: number
}

/** So many units of text around a comment tell it from an equal passage. */
const AROUND = 24
/** A text that was cut, and is written again as a whole, counts from this many units; where it is pasted, any does. */
const WHOLE = 12
/** A part of what was cut counts from this many units, with what stood around it. */
const PART = 12
/** A comment's own words count alone from this many units. */
const ALONE = 30

/** `lost` where its comment has grown since. */
export function shifted(lost: readonly Lost[], growths: readonly Growth[]): readonly Lost[] {
  return growths.length === 0 ? lost : lost.map((each) => growths.reduce<Lost>((one, { at, text }) => (one.at >= at ? { ...one, at: one.at + text.length } : one), each))
}

/**
 * Finds the lost stretches in what was written.
 *
 * @param lost newest first.
 * @param alive the comment's units that are there: what is pasted of them is a copy.
 * @param isPaste whether somebody pasted what was written.
 */
export function revive(lost: readonly Lost[], come: readonly string[], alive: readonly { readonly at: number; readonly length: number }[], isPaste: boolean): Revived[] {
  const found: Revived[] = []
  const covered = [...alive]
  for (const each of lost) {
    for (const part of missing(each, covered)) {
      const place = find(part, come, isPaste)
      if (place === null) continue
      found.push({ at: part.at, length: part.length, ...place })
      covered.push(part)
    }
  }
  return found
}

function missing(lost: Lost, covered: readonly { readonly at: number; readonly length: number }[]): Lost[] {
  let parts: Lost[] = [lost]
  for (const { at, length } of covered) {
    parts = parts.flatMap((part) => {
      const end = part.at + part.length
      if (at + length <= part.at || at >= end) return [part]
      const rest: Lost[] = []
      if (part.at < at) rest.push({ ...part, length: at - part.at })
      if (end > at + length) rest.push({ ...part, at: at + length, offset: part.offset + at + length - part.at, length: end - at - length })
      return rest
    })
  }
  return parts
}

function find({ text, offset, length }: Lost, come: readonly string[], isPaste: boolean): { come: number; to: number } | null {
  const [before, after] = [Math.max(0, offset - AROUND), offset + length + AROUND]
  const tries: readonly (readonly [number, number, number])[] = [
    [0, text.length, WHOLE],
    [before, after, PART],
    [before, offset + length, PART + (offset - before === 0 ? ALONE : 0)],
    [offset, after, PART],
    [offset, offset + length, ALONE],
  ]
  const pasted = isPaste ? come.indexOf(text) : -1
  if (pasted !== -1) return { come: pasted, to: offset }
  for (const [first, last, least] of tries) {
    const wanted = text.slice(first, last)
    if (wanted.length < least) continue
    for (const [index, other] of come.entries()) {
      const at = other.indexOf(wanted)
      if (at !== -1) return { come: index, to: at + offset - first }
    }
  }
  return null
}
