// The stored ends of a comment: relative positions of Yjs, in base64.
//
// A comment that was torn apart stands at several stretches. Their positions follow one another in the
// same two texts, in the order of the comment: whoever reads one position reads where it begins.
import * as Y from 'yjs'
import type { Range } from './layout'
import { branchOf, type Outline } from './outline'

/** Relative positions in base64; a start holds to its right, an end to its left. */
export interface Ends {
  readonly start: string
  readonly end: string
}

/** A stored stretch as it is now. */
export interface Stretch extends Range {
  /** Whether the characters that its ends were made at are still there, for everybody. */
  readonly alive: boolean
}

/** More stretches of one comment are not stored: what the server takes has room for as many. */
export const MOST_STRETCHES = 12

const toBase64 = (bytes: readonly number[]): string => btoa(String.fromCharCode(...bytes))

/** Those of `ranges` that are stored: the largest ones. */
export function storedOf(ranges: readonly Range[]): Range[] {
  const largest = new Set([...ranges].sort((a, b) => b.to - b.from - (a.to - a.from)).slice(0, MOST_STRETCHES))
  return ranges.filter((range) => largest.has(range))
}

/** The ends of `ranges`, each of which begins and ends with a unit; null if there is none. */
export function endsAt(outline: Outline, ranges: readonly Range[]): Ends | null {
  const [starts, ends]: [number[], number[]] = [[], []]
  for (const { from, to } of storedOf(ranges)) {
    const [first] = outline.spansIn(from, from + 1)
    const [last] = outline.spansIn(to - 1, to)
    if (first === undefined || last === undefined) continue
    starts.push(...Y.encodeRelativePosition(new Y.RelativePosition(null, null, Y.createID(first.client, first.clock), 0)))
    ends.push(...Y.encodeRelativePosition(new Y.RelativePosition(null, null, Y.createID(last.client, last.clock), -1)))
  }
  return starts.length === 0 ? null : { start: toBase64(starts), end: toBase64(ends) }
}

/** The relative positions in a stored text; none if it holds anything else. */
function positionsIn(text: string): Y.RelativePosition[] {
  try {
    const bytes = Uint8Array.from(atob(text), (character) => character.charCodeAt(0))
    const found: Y.RelativePosition[] = []
    for (let at = 0; at < bytes.length; ) {
      const position = Y.decodeRelativePosition(bytes.subarray(at))
      found.push(position)
      at += Y.encodeRelativePosition(position).length
    }
    return found
  } catch {
    return []
  }
}

function place(outline: Outline, { item: id, assoc }: Y.RelativePosition): { pos: number; alive: boolean } | 'unread' | null {
  const { doc } = outline.root
  if (doc === null || id === null) return null
  if (Y.getState(doc.store, id.client) <= id.clock) return 'unread'
  const item: Y.Item | Y.GC = Y.getItem(doc.store, id)
  if (!(item instanceof Y.Item)) return null
  const pos = item.deleted ? outline.placeOf(item) : outline.posOf(item, id.clock - item.id.clock)
  if (pos === null) return null
  const isUnit = !item.deleted && (branchOf(item) === null || item.length === 1)
  return { pos: item.deleted || assoc >= 0 ? pos : pos + 1, alive: isUnit }
}

/** Where stored ends are now, without those that are nowhere; 'unread' if they are about text still to come. */
export function resolve(outline: Outline, { start, end }: Ends): Stretch[] | 'unread' {
  const [starts, ends] = [positionsIn(start), positionsIn(end)]
  const found: Stretch[] = []
  let isWhole = starts.length === ends.length
  for (let index = 0; index < Math.min(starts.length, ends.length); index += 1) {
    const [first, last] = [place(outline, starts[index] as Y.RelativePosition), place(outline, ends[index] as Y.RelativePosition)]
    if (first === 'unread' || last === 'unread') return 'unread'
    if (first === null || last === null || first.pos >= last.pos) isWhole = false
    else found.push({ from: first.pos, to: last.pos, alive: first.alive && last.alive })
  }
  return isWhole ? found : found.map((stretch) => ({ ...stretch, alive: false }))
}
