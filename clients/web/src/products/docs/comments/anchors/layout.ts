// From the pieces of a comment to what is shown of it.
import type { Node } from '@tiptap/pm/model'
import type { Piece } from './trace'

export interface Range {
  readonly from: number
  readonly to: number
}

/** Words put in between up to this many units leave a comment in one. */
export const BRIDGE = 24

/** How many units stand between two positions; no more than `most` + 1 are counted. */
export function unitsBetween(doc: Node, from: number, to: number, most: number): number {
  if (from >= to) return 0
  let units = 0
  doc.nodesBetween(from, to, (node, pos) => {
    if (units > most) return false
    if (node.isText) units += Math.min(to, pos + node.nodeSize) - Math.max(from, pos)
    else if (node.isLeaf && pos >= from && pos < to) units += 1
    return true
  })
  return units
}

const sizeOf = ({ from, to }: Piece): number => to - from

/** Pieces that follow each other in the comment and, nearly, in the document. */
function stretches(doc: Node, pieces: readonly Piece[], bridge: number): Piece[][] {
  const found: Piece[][] = []
  for (const piece of pieces) {
    const last = found.at(-1)?.at(-1)
    const goesOn = last !== undefined && piece.at >= last.at + sizeOf(last) && unitsBetween(doc, last.to, piece.from, bridge) <= bridge
    if (goesOn) found.at(-1)?.push(piece)
    else found.push([piece])
  }
  return found
}

/** The stretches of text to show, in the order of the document. */
export function rangesOf(doc: Node, pieces: readonly Piece[]): Range[] {
  return stretches(doc, shownOf(doc, pieces), BRIDGE).map((stretch) => ({ from: stretch[0]?.from ?? 0, to: stretch.at(-1)?.to ?? 0 }))
}

/** The stretches of text to store, without what was put in between, in the order of the comment. */
export function keptOf(doc: Node, pieces: readonly Piece[]): Range[] {
  const kept = stretches(doc, shownOf(doc, pieces), 0)
  return kept.sort((a, b) => (a[0]?.at ?? 0) - (b[0]?.at ?? 0)).map((stretch) => ({ from: stretch[0]?.from ?? 0, to: stretch.at(-1)?.to ?? 0 }))
}

/**
 * Each unit of the comment once. Of copies that stretch counts which holds more of the comment, then the
 * one that is no spare.
 */
function shownOf(doc: Node, pieces: readonly Piece[]): Piece[] {
  const weigh = (stretch: readonly Piece[]): number => stretch.reduce((sum, piece) => sum + sizeOf(piece) * (piece.spare ? 2 : 3), 0)
  const weighed = stretches(doc, pieces, BRIDGE).map((stretch) => ({ stretch, weight: weigh(stretch) }))
  weighed.sort((a, b) => b.weight - a.weight)
  const shown: Piece[] = []
  for (const { stretch } of weighed) {
    const before = [...shown]
    for (const piece of stretch) shown.push(...uncovered(piece, before))
  }
  return shown.sort((a, b) => a.from - b.from)
}

/** The parts of `piece` for units that none of `others` stands for. */
function uncovered(piece: Piece, others: readonly Piece[]): Piece[] {
  let parts: Piece[] = [piece]
  for (const other of others) {
    const [first, last] = [other.at, other.at + sizeOf(other)]
    parts = parts.flatMap((part) => {
      const end = part.at + sizeOf(part)
      if (last <= part.at || first >= end) return [part]
      const rest: Piece[] = []
      if (part.at < first) rest.push({ ...part, to: part.from + first - part.at })
      if (end > last) rest.push({ ...part, from: part.from + last - part.at, at: last })
      return rest
    })
  }
  return parts
}
