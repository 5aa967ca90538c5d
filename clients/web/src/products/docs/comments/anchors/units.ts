// The text of a document as units: what stays the same when blocks are split, merged and lifted.
import type { Node } from '@tiptap/pm/model'

/** Stands for what is no text: a mention, a line break, a picture. */
export const LEAF = '\ufffc'

/**
 * Part of a document as one string, a UTF-16 code unit of text or a leaf each, without the borders of
 * blocks. A place in it is counted in units from its start.
 */
export interface Units {
  readonly text: string
  /** For every run of units: its first unit, and the editor's position before that. Ascending. */
  readonly runs: readonly { readonly unit: number; readonly pos: number }[]
}

/** The units of `node`'s children `first` (inclusive) to `last` (exclusive); `start` is where its content begins. */
export function unitsOf(node: Node, first = 0, last = node.childCount, start = 0): Units {
  const texts: string[] = []
  const runs: { unit: number; pos: number }[] = []
  let unit = 0
  const walk = (child: Node, pos: number): void => {
    if (child.isText || child.isLeaf) {
      const text = child.isText ? (child.text ?? '') : LEAF
      const before = runs.at(-1)
      if (before === undefined || before.pos + (unit - before.unit) !== pos) runs.push({ unit, pos })
      texts.push(text)
      unit += text.length
    } else child.forEach((grandchild, offset) => { walk(grandchild, pos + 1 + offset) })
  }
  let pos = start
  for (let index = 0; index < last; index += 1) {
    const child = node.child(index)
    if (index >= first) walk(child, pos)
    pos += child.nodeSize
  }
  return { text: texts.join(''), runs }
}

/** The last of `runs` for which `key` is not above `value`, or undefined. */
function runAt<Key extends 'unit' | 'pos'>(runs: Units['runs'], key: Key, value: number): Units['runs'][number] | undefined {
  let low = 0
  let high = runs.length
  while (low < high) {
    const middle = (low + high) >> 1
    if ((runs[middle]?.[key] ?? 0) <= value) low = middle + 1
    else high = middle
  }
  return runs[low - 1]
}

/** The editor's position before unit `unit`. */
export function posBefore(units: Units, unit: number): number | null {
  if (unit < 0 || unit >= units.text.length) return null
  const run = runAt(units.runs, 'unit', unit)
  return run === undefined ? null : run.pos + unit - run.unit
}

/** The editor's range that covers the units from `first` to before `last`. */
export function rangeOf(units: Units, first: number, last: number): { from: number; to: number } | null {
  if (first >= last) return null
  const [from, end] = [posBefore(units, first), posBefore(units, last - 1)]
  return from === null || end === null ? null : { from, to: end + 1 }
}

/** How many of the units stand before the editor's position `pos`. */
export function unitAt(units: Units, pos: number): number {
  const run = runAt(units.runs, 'pos', pos)
  if (run === undefined) return 0
  const index = units.runs.indexOf(run)
  const end = units.runs[index + 1]?.unit ?? units.text.length
  return Math.min(run.unit + pos - run.pos, end)
}
