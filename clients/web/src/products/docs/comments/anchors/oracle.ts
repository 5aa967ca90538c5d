// Whether a comment is shown at its words: for the tests of anchors.
//
// Every commented character carries a mark of its own, which the editor takes along in moves, splits,
// merges, cuts and pastes, and which undo brings back. So it is known of every character in the document
// whether it is a comment's, and which of its characters.
import type { Node } from '@tiptap/pm/model'
import { BRIDGE, type Range } from './layout'
import { unitAt, unitsOf } from './units'

interface Unit {
  readonly unit: number
  readonly index: number
  /** Put in between the comment's characters since: it may be shown, or not. */
  readonly written: boolean
}

/** The units that carry `thread`'s marks, and which of its characters each is. */
export function oracle(doc: Node, thread: string): Unit[] {
  const found: Unit[] = []
  let unit = 0
  doc.descendants((node) => {
    if (!node.isText) return
    for (const mark of node.marks) {
      const [of, index] = (mark.attrs['of'] as string | undefined)?.split(':') ?? []
      if (of === thread) for (let at = 0; at < node.nodeSize; at += 1) found.push({ unit: unit + at, index: Number(index), written: mark.attrs['written'] === true })
    }
    unit += node.nodeSize
  })
  return found
}

/** Whether somebody has torn the comment's words apart or doubled them. */
export function isApart(units: readonly Unit[]): boolean {
  const own = units.filter(({ written }) => !written)
  return own.some(({ unit, index }, at) => {
    const before = own[at - 1]
    return before !== undefined && (index <= before.index || unit - before.unit > BRIDGE)
  })
}

/**
 * Null if a comment is shown right; else what is wrong.
 *
 * Right is: each of its characters that is still in the document is shown, and nothing else is. Of a
 * character that is there twice, because two people moved or split it at once, one copy must be shown, and
 * any may be. Words put in between its characters may be shown or not, and so may up to 24 characters that
 * separate two of its stretches. A comment without any character left must be shown nowhere.
 */
export function wrong(doc: Node, thread: string, ranges: readonly Range[]): string | null {
  const own = oracle(doc, thread)
  const text = unitsOf(doc)
  const shown = ranges.map(({ from, to }): [number, number] => [unitAt(text, from), unitAt(text, to)])
  const isShown = (unit: number): boolean => shown.some(([first, last]) => unit >= first && unit < last)
  const must = new Set(own.filter(({ written }) => !written).map(({ index }) => index))
  const seen = new Set(own.filter(({ unit, written }) => !written && isShown(unit)).map(({ index }) => index))
  const mine = new Set(own.map(({ unit }) => unit))
  let foreign = 0
  for (const [first, last] of shown) {
    if (!mine.has(first) || !mine.has(last - 1)) foreign += 1
    let row = 0
    for (let unit = first; unit < last; unit += 1) {
      row = mine.has(unit) ? 0 : row + 1
      if (row > BRIDGE) foreign += 1
    }
  }
  const missing = must.size - seen.size
  if (missing === 0 && foreign === 0) return null
  const said = (parts: readonly (readonly [number, number])[]): string => parts.map(([first, last]) => `${first}-${last} ${JSON.stringify(text.text.slice(first, last))}`).join(' + ') || 'nothing'
  return `${missing} of ${must.size} characters missing, foreign: ${foreign > 0 ? 'yes' : 'no'}; shown ${said(shown)}, there is ${said(piecesOf(own))}`
}

function piecesOf(own: readonly Unit[]): [number, number][] {
  const pieces: [number, number][] = []
  own.forEach(({ unit, index }, at) => {
    const [before, last] = [own[at - 1], pieces.at(-1)]
    if (before === undefined || last === undefined || index < before.index || unit !== before.unit + 1) pieces.push([unit, unit + 1])
    else last[1] = unit + 1
  })
  return pieces
}
