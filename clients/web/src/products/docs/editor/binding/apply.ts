// From one document to another in the smallest steps, so that selections, comments and cursors
// elsewhere stay where they are.
import { Fragment, type Node, Slice } from '@tiptap/pm/model'
import type { Transaction } from '@tiptap/pm/state'

interface Change {
  from: number
  to: number
  slice: Slice
}

/**
 * Adds to `tr` the steps that turn `before` (its document) into `now`. What both share is the same
 * object in both.
 */
export function applyDocument(tr: Transaction, before: Node, now: Node): void {
  const changes: Change[] = []
  compare(before, now, 0, changes)
  // From the end, so that no step moves the place of the next.
  for (const { from, to, slice } of changes.reverse()) tr.replace(from, to, slice)
}

/** Notes how the children of `now` differ from those of `before`, whose inside begins at `start`. */
function compare(before: Node, now: Node, start: number, changes: Change[]): void {
  if (before.inlineContent) {
    compareInline(before, now, start, changes)
    return
  }
  const old = before.content.content
  const fresh = now.content.content
  const least = Math.min(old.length, fresh.length)
  let head = 0
  let position = start
  while (head < least && old[head] === fresh[head]) position += old[head++]!.nodeSize
  let tail = 0
  while (tail < least - head && old[old.length - 1 - tail] === fresh[fresh.length - 1 - tail]) tail += 1

  const places = new Map<Node, number>()
  for (let index = fresh.length - 1 - tail; index >= head; index -= 1) places.set(fresh[index]!, index)
  let oldFrom = head
  let newFrom = head
  for (let index = head; index <= old.length - tail; index += 1) {
    const isEnd = index === old.length - tail
    const place = isEnd ? fresh.length - tail : places.get(old[index]!)
    if (place === undefined || place < newFrom) continue
    position = compareGap(before, now, [oldFrom, index], [newFrom, place], position, changes)
    if (isEnd) break
    position += old[index]!.nodeSize
    oldFrom = index + 1
    newFrom = place + 1
  }
}

/** The children between two that both share. Returns the position after the old ones. */
function compareGap(
  before: Node,
  now: Node,
  [oldFrom, oldTo]: [number, number],
  [newFrom, newTo]: [number, number],
  start: number,
  changes: Change[],
): number {
  let position = start
  let oldAt = oldFrom
  let newAt = newFrom
  while (oldAt < oldTo && newAt < newTo) {
    const old = before.child(oldAt)
    const fresh = now.child(newAt)
    if (!isSameBlock(old, fresh)) break
    if (old.hasMarkup(fresh.type, fresh.attrs)) compare(old, fresh, position + 1, changes)
    else changes.push({ from: position, to: position + old.nodeSize, slice: sliceOf(now, newAt, newAt + 1) })
    position += old.nodeSize
    oldAt += 1
    newAt += 1
  }
  let oldEnd = oldTo
  let newEnd = newTo
  const pairs: [number, number][] = []
  while (oldEnd > oldAt && newEnd > newAt && isSameBlock(before.child(oldEnd - 1), now.child(newEnd - 1))) {
    oldEnd -= 1
    newEnd -= 1
    pairs.push([oldEnd, newEnd])
  }
  const middle = sizeOf(before, oldAt, oldEnd)
  if (middle > 0 || newAt < newEnd) changes.push({ from: position, to: position + middle, slice: sliceOf(now, newAt, newEnd) })
  position += middle
  for (const [oldPlace, newPlace] of pairs.reverse()) {
    const old = before.child(oldPlace)
    const fresh = now.child(newPlace)
    if (old.hasMarkup(fresh.type, fresh.attrs)) compare(old, fresh, position + 1, changes)
    else changes.push({ from: position, to: position + old.nodeSize, slice: sliceOf(now, newPlace, newPlace + 1) })
    position += old.nodeSize
  }
  return position
}

/** Whether one is the other, changed. Leaves with other attributes are replaced. */
function isSameBlock(old: Node, fresh: Node): boolean {
  if (old.type !== fresh.type) return false
  const id: unknown = old.attrs['id']
  return id === fresh.attrs['id'] || id === null || fresh.attrs['id'] === null
}

function sliceOf(node: Node, from: number, to: number): Slice {
  return new Slice(Fragment.fromArray(node.content.content.slice(from, to)), 0, 0)
}

function sizeOf(node: Node, from: number, to: number): number {
  let size = 0
  for (let index = from; index < to; index += 1) size += node.child(index).nodeSize
  return size
}

function compareInline(before: Node, now: Node, start: number, changes: Change[]): void {
  const from = before.content.findDiffStart(now.content)
  if (from === null) return
  const ends = before.content.findDiffEnd(now.content)
  if (ends === null) return
  let { a: oldEnd, b: newEnd } = ends
  const overlap = from - Math.min(oldEnd, newEnd)
  if (overlap > 0) {
    oldEnd += overlap
    newEnd += overlap
  }
  changes.push({ from: start + from, to: start + oldEnd, slice: new Slice(now.content.cut(from, newEnd), 0, 0) })
}
