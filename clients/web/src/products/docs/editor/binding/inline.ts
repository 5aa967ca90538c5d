// Writing the inside of a text block: the words that changed, then the marks that changed.
//
// A block's text may lie in several shared texts side by side: two people who type into an empty
// block at once make one each. They stay apart; merging them would lose what a third one types.
import type { Node } from '@tiptap/pm/model'
import * as Y from 'yjs'
import { childrenOf, type Drawn, type Shared, type SharedChild, type TextRun } from './read'
import { differences, OBJECT, type Line } from './words'
import { attributesOf, createElement, isSame } from './write'

export function writeInline(shared: Shared, node: Node, drawn: Drawn, cursor: number | null): void {
  const before = lineOfShared(shared, drawn)
  const now = lineOfNode(node)
  // From the end, so that no stretch moves the place of the next.
  for (const { start, oldEnd, newStart, newEnd } of differences(before, now, cursor).reverse()) {
    remove(shared, start, oldEnd)
    insert(shared, start, node, newStart, newEnd, drawn)
  }
  writeMarks(shared, node)
  adopt(shared, node, drawn)
}

function lineOfShared(shared: Shared, drawn: Drawn): Line {
  const objects = new Map<number, Node>()
  let text = ''
  for (const child of childrenOf(shared)) {
    if (child instanceof Y.XmlText) {
      text += stringOf(child)
      continue
    }
    const node = drawn.get(child)
    if (node !== undefined) objects.set(text.length, node)
    text += OBJECT
  }
  return { text, objects }
}

/** The characters of a text, without marks. */
function stringOf(text: Y.XmlText): string {
  let string = ''
  for (let item = text._start; item !== null; item = item.right) {
    if (!item.deleted && item.content instanceof Y.ContentString) string += item.content.str
  }
  return string
}

function lineOfNode(node: Node): Line {
  const objects = new Map<number, Node>()
  let text = ''
  node.forEach((child) => {
    if (child.text === undefined) objects.set(text.length, child)
    text += child.text ?? OBJECT
  })
  return { text, objects }
}

function lengthOf(child: SharedChild): number {
  return child instanceof Y.XmlText ? child.length : 1
}

function remove(shared: Shared, start: number, end: number): void {
  if (start >= end) return
  let at = 0
  let index = 0
  for (const child of childrenOf(shared)) {
    const length = lengthOf(child)
    const from = Math.max(start, at)
    const to = Math.min(end, at + length)
    if (from < to && child instanceof Y.XmlElement) shared.delete(index, 1)
    else {
      if (from < to) (child as Y.XmlText).delete(from - at, to - from)
      index += 1
    }
    at += length
  }
}

/** Inserts the part `start` to `end` of the node's inside, at `offset`. */
function insert(shared: Shared, offset: number, node: Node, start: number, end: number, drawn: Drawn): void {
  if (start >= end) return
  const place = findPlace(shared, offset)
  node.nodesBetween(start, end, (child, at) => {
    if (child.text === undefined) putObject(shared, place, createElement(child, drawn))
    else {
      const piece = child.text.slice(Math.max(0, start - at), end - at)
      putText(shared, place, piece, attributesOf(child))
    }
    return false
  })
}

/** Where something goes: inside `text` at `offset`, or as the child at `index` if there is no text. */
interface Place {
  index: number
  text: Y.XmlText | null
  offset: number
}

/** Text goes to the end of the text before rather than to the start of the one after. */
function findPlace(shared: Shared, start: number): Place {
  let at = 0
  const children = childrenOf(shared)
  for (const [index, child] of children.entries()) {
    const length = lengthOf(child)
    if (child instanceof Y.XmlText && start <= at + length) return { index, text: child, offset: start - at }
    if (start === at) return { index, text: null, offset: 0 }
    at += length
  }
  return { index: children.length, text: null, offset: 0 }
}

function putText(shared: Shared, place: Place, piece: string, attributes: Record<string, unknown>): void {
  if (place.text === null) {
    const text = new Y.XmlText()
    shared.insert(place.index, [text])
    place.text = text
    place.offset = 0
  }
  place.text.insert(place.offset, piece, attributes)
  place.offset += piece.length
}

function putObject(shared: Shared, place: Place, element: Y.XmlElement): void {
  const { text, offset } = place
  if (text === null) {
    shared.insert(place.index, [element])
    place.index += 1
    return
  }
  if (offset === 0) {
    shared.insert(place.index, [element])
    place.index += 1
    return
  }
  const made: SharedChild[] = [element]
  if (offset < text.length) {
    const rest = new Y.XmlText()
    rest.applyDelta(runsFrom(text, offset))
    text.delete(offset, text.length - offset)
    made.push(rest)
  }
  shared.insert(place.index + 1, made)
  place.index += 2
  place.text = (made[1] as Y.XmlText | undefined) ?? null
  if (place.text === null) {
    const following = shared.get(place.index) as SharedChild | undefined
    if (following instanceof Y.XmlText) place.text = following
  }
  place.offset = 0
}

function runsFrom(text: Y.XmlText, offset: number): TextRun[] {
  let at = 0
  const runs: TextRun[] = []
  for (const { insert: piece, attributes } of text.toDelta() as { insert: string; attributes?: Record<string, unknown> }[]) {
    const rest = piece.slice(Math.max(0, offset - at))
    at += piece.length
    if (rest !== '' && at > offset) runs.push({ insert: rest, ...(attributes === undefined ? {} : { attributes }) })
  }
  return runs
}

/** Sets and takes off marks where the shared texts differ from the node's. */
function writeMarks(shared: Shared, node: Node): void {
  const wanted: { end: number; attributes: Record<string, unknown> }[] = []
  node.forEach((child, at) => wanted.push({ end: at + child.nodeSize, attributes: attributesOf(child) }))
  let at = 0
  let run = 0
  for (const child of childrenOf(shared)) {
    if (!(child instanceof Y.XmlText)) {
      at += 1
      continue
    }
    const first = at
    for (const { insert: piece, attributes = {} } of child.toDelta() as { insert: string; attributes?: Record<string, unknown> }[]) {
      const end = at + piece.length
      while (at < end) {
        while (run < wanted.length && wanted[run]!.end <= at) run += 1
        const goal = wanted[run]
        if (goal === undefined) return
        const until = Math.min(end, goal.end)
        const change = changeOf(attributes, goal.attributes)
        if (change !== null) child.format(at - first, until - at, change)
        at = until
      }
    }
  }
}

function changeOf(before: Record<string, unknown>, now: Record<string, unknown>): Record<string, unknown> | null {
  const change: Record<string, unknown> = {}
  for (const key in before) if (!(plain(key) in now)) change[key] = null
  for (const key in now) {
    const kept = Object.keys(before).find((other) => plain(other) === key)
    if (kept === undefined || !isSame(asObject(before[kept]), now[key])) change[kept ?? key] = now[key]
  }
  return Object.keys(change).length === 0 ? null : change
}

function plain(key: string): string {
  return /^(.*)--[a-zA-Z0-9+/=]{8}$/.exec(key)?.[1] ?? key
}

/** A mark without attributes may be stored as `true`. */
function asObject(value: unknown): unknown {
  return typeof value === 'object' ? value : {}
}

/** Notes which nodes the objects are drawn as now. */
function adopt(shared: Shared, node: Node, drawn: Drawn): void {
  const objects: Node[] = []
  node.forEach((child) => {
    if (child.text === undefined) objects.push(child)
  })
  let index = 0
  for (const child of childrenOf(shared)) {
    if (!(child instanceof Y.XmlElement)) continue
    const object = objects[index]
    if (object !== undefined) drawn.set(child, object)
    index += 1
  }
}
