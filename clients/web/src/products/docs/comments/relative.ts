// Relative positions of Yjs and the editor's positions, one into the other, for units of text.
import type { Schema } from '@tiptap/pm/model'
import * as Y from 'yjs'

type Branch = Y.XmlElement | Y.XmlText | Y.XmlFragment

/** Both ends of a comment's place: relative positions in base64; the start holds to its right, the end to its left. */
export interface Ends {
  readonly start: string
  readonly end: string
}

/** A place, and whether the very characters that its ends were made at are still there. */
export interface Resolved {
  readonly from: number
  readonly to: number
  readonly alive: boolean
  /** Whether everybody sees that: what an undo of this client brought back has new names for the others. */
  readonly shared: boolean
}

const toBase64 = (bytes: Uint8Array): string => btoa(String.fromCharCode(...bytes))
const fromBase64 = (text: string): Uint8Array => Uint8Array.from(atob(text), (character) => character.charCodeAt(0))

const branchOf = (item: Y.Item): Branch | null => {
  const { content } = item
  if (!(content instanceof Y.ContentType)) return null
  const { type } = content
  return type instanceof Y.XmlText || type instanceof Y.XmlElement ? type : null
}

const lengthOf = (text: Y.XmlText): number => text.length

/** How much room a branch takes in the editor. */
function sizeOf(branch: Branch, schema: Schema): number {
  if (branch instanceof Y.XmlText) return lengthOf(branch)
  const isLeaf = branch instanceof Y.XmlElement && schema.nodes[branch.nodeName]?.isLeaf === true
  if (isLeaf) return 1
  let size = 2
  for (let item = branch._start; item !== null; item = item.right) {
    if (item.deleted) continue
    const child = branchOf(item)
    if (child !== null) size += sizeOf(child, schema)
  }
  return size
}

/** The editor's position at `index` (in characters or children) inside `branch`, or null if it is no part of `root`. */
function posIn(root: Y.XmlFragment, branch: Branch, index: number, schema: Schema): number | null {
  let pos = 0
  if (branch instanceof Y.XmlText) pos = index
  else {
    let left = index
    for (let item = branch._start; item !== null && left > 0; item = item.right) {
      const child = item.deleted ? null : branchOf(item)
      if (child === null) continue
      pos += sizeOf(child, schema)
      left -= 1
    }
  }
  let here: Branch = branch
  while (here !== root) {
    const item: Y.Item | null = here._item
    if (item === null || item.deleted) return null
    if (!(here instanceof Y.XmlText)) pos += 1
    for (let sibling = item.left; sibling !== null; sibling = sibling.left) {
      const child = sibling.deleted ? null : branchOf(sibling)
      if (child !== null) pos += sizeOf(child, schema)
    }
    here = item.parent as Branch
  }
  return pos
}

/** The relative position of the unit that stands directly after the editor's position `pos`; null if none does. */
function unitAfter(root: Y.XmlFragment, pos: number, schema: Schema): { branch: Branch; index: number } | null {
  let branch: Branch = root
  let left = pos
  for (;;) {
    let index = 0
    let inside: Branch | null = null
    for (let item: Y.Item | null = branch._start; item !== null; item = item.right) {
      const child: Branch | null = item.deleted ? null : branchOf(item)
      if (child === null) continue
      const size = sizeOf(child, schema)
      if (child instanceof Y.XmlText) {
        if (left < size) return { branch: child, index: left }
      } else if (left === 0) return size === 1 ? { branch, index } : null
      else if (left < size) {
        inside = child
        break
      }
      left -= size
      index += 1
    }
    if (inside === null) return null
    branch = inside
    left -= 1
  }
}

/** The ends of the units between the editor's positions `from` and `to`; null if no unit stands at one of them. */
export function endsAt(root: Y.XmlFragment, from: number, to: number, schema: Schema): Ends | null {
  const [first, last] = [unitAfter(root, from, schema), unitAfter(root, to - 1, schema)]
  if (first === null || last === null) return null
  const start = Y.createRelativePositionFromTypeIndex(first.branch, first.index, 0)
  const end = Y.createRelativePositionFromTypeIndex(last.branch, last.index + 1, -1)
  return { start: toBase64(Y.encodeRelativePosition(start)), end: toBase64(Y.encodeRelativePosition(end)) }
}

/** An item with what undo made of it: the undone deletion of a character makes a new one. */
function followed(doc: Y.Doc, id: Y.ID): { item: Y.Item; offset: number; redone: boolean } | null {
  let at: Y.ID | null = id
  for (let redone = false; ; redone = true) {
    if (Y.getState(doc.store, at.client) <= at.clock) return null
    const item: Y.Item | Y.GC = Y.getItem(doc.store, at)
    if (!(item instanceof Y.Item)) return null
    const offset: number = at.clock - item.id.clock
    if (item.redone === null) return { item, offset, redone }
    at = Y.createID(item.redone.client, item.redone.clock + offset)
  }
}

function place(root: Y.XmlFragment, encoded: string, schema: Schema): { pos: number; alive: boolean; shared: boolean } | null {
  const { doc } = root
  if (doc === null) return null
  let relative: Y.RelativePosition
  try {
    relative = Y.decodeRelativePosition(fromBase64(encoded))
  } catch {
    return null
  }
  if (relative.item === null) return null
  const found = followed(doc, relative.item)
  if (found === null) return null
  const { item, offset, redone } = found
  const parent = item.parent as Branch
  const alive = !item.deleted
  let index = alive ? offset + (relative.assoc < 0 ? 1 : 0) : 0
  for (let left = item.left; left !== null; left = left.left) if (!left.deleted && left.countable) index += left.length
  const pos = posIn(root, parent, index, schema)
  return pos === null ? null : { pos, alive, shared: alive && !redone }
}

/** Where the ends are now, or null if nothing of one of them is left here (or has not come yet). */
export function resolveEnds(root: Y.XmlFragment, ends: Ends, schema: Schema): Resolved | null {
  const [start, end] = [place(root, ends.start, schema), place(root, ends.end, schema)]
  if (start === null || end === null || start.pos >= end.pos) return null
  return { from: start.pos, to: end.pos, alive: start.alive && end.alive, shared: start.shared && end.shared }
}
