// Between places in the ProseMirror document and Yjs relative positions, which survive what others do.
import type { Node } from '@tiptap/pm/model'
import * as Y from 'yjs'
import { childrenOf, type Drawn, type Shared } from './read'

/**
 * The relative position of `pos`. `assoc` below zero sticks to what stands before it, otherwise to
 * what stands after. Null if the document and the fragment say different things there.
 */
export function toRelative(fragment: Y.XmlFragment, doc: Node, pos: number, drawn: Drawn, assoc: number): Y.RelativePosition | null {
  const place = doc.resolve(pos)
  let shared: Shared = fragment
  for (let depth = 0; depth < place.depth; depth += 1) {
    const child = elementAt(shared, place.index(depth), place.node(depth + 1), drawn)
    if (child === null) return null
    shared = child
  }
  if (!place.parent.inlineContent) return Y.createRelativePositionFromTypeIndex(shared, place.index(), assoc)
  let offset = place.parentOffset
  const children = childrenOf(shared)
  for (const [index, child] of children.entries()) {
    const length = child instanceof Y.XmlText ? child.length : 1
    if (child instanceof Y.XmlText) {
      const isInside = offset < length || (offset === length && (assoc < 0 || !(children[index + 1] instanceof Y.XmlText)))
      if (isInside) return Y.createRelativePositionFromTypeIndex(child, offset, assoc)
    } else if (offset === 0) return Y.createRelativePositionFromTypeIndex(shared, index, assoc)
    offset -= length
  }
  return Y.createRelativePositionFromTypeIndex(shared, children.length, assoc)
}

function elementAt(shared: Shared, index: number, node: Node, drawn: Drawn): Y.XmlElement | null {
  const child = shared.get(index) as unknown
  if (child instanceof Y.XmlElement && drawn.get(child) === node) return child
  let seen = 0
  for (const other of childrenOf(shared)) {
    if (!(other instanceof Y.XmlElement)) continue
    if (seen === index) return drawn.get(other) === node ? other : null
    seen += 1
  }
  return null
}

/** Where a relative position is now; null if what it points into is gone. */
export function toAbsolute(fragment: Y.XmlFragment, relative: Y.RelativePosition, drawn: Drawn): number | null {
  const doc = fragment.doc
  if (doc === null) return null
  const found = Y.createAbsolutePositionFromRelativePosition(relative, doc)
  if (found === null) return null
  const type = found.type as unknown
  if (type instanceof Y.XmlText) {
    if (type._item === null || type._item.deleted) return null
    const parent = type._item.parent
    if (!isShared(parent)) return null
    const start = insideOf(fragment, parent, drawn)
    const before = start === null ? null : sizeBefore(parent, type._item, drawn)
    return start === null || before === null ? null : start + before + found.index
  }
  if (!isShared(type)) return null
  let size = insideOf(fragment, type, drawn)
  for (const child of childrenOf(type).slice(0, found.index)) {
    const length = sizeOf(child, drawn)
    if (size === null || length === null) return null
    size += length
  }
  return size
}

function isShared(type: unknown): type is Shared {
  return type instanceof Y.XmlFragment
}

/** The position of the inside of `shared`; null if it is no longer part of the document. */
function insideOf(fragment: Y.XmlFragment, shared: Shared, drawn: Drawn): number | null {
  if (shared === fragment) return 0
  const item = shared._item
  if (item === null || item.deleted || !isShared(item.parent)) return null
  const outer = insideOf(fragment, item.parent, drawn)
  const before = outer === null ? null : sizeBefore(item.parent, item, drawn)
  return outer === null || before === null ? null : outer + before + 1
}

/** Where the top blocks of a document begin: asked for again and again by cursors and comments. */
const offsets = new WeakMap<Node, Map<Y.Item, number>>()

function topOffsets(fragment: Y.XmlFragment, drawn: Drawn): Map<Y.Item, number> | null {
  const doc = drawn.get(fragment)
  if (doc === undefined) return null
  let known = offsets.get(doc)
  if (known !== undefined) return known
  known = new Map()
  let size = 0
  for (let item = fragment._start; item !== null; item = item.right) {
    if (item.deleted || !(item.content instanceof Y.ContentType)) continue
    const length = sizeOf(item.content.type, drawn)
    if (length === null) return null
    known.set(item, size)
    size += length
  }
  offsets.set(doc, known)
  return known
}

function sizeBefore(parent: Shared, item: Y.Item, drawn: Drawn): number | null {
  if (parent._item === null) {
    const known = topOffsets(parent, drawn)?.get(item)
    if (known !== undefined) return known
  }
  let size = 0
  for (let other = parent._start; other !== null && other !== item; other = other.right) {
    if (other.deleted || !(other.content instanceof Y.ContentType)) continue
    const length = sizeOf(other.content.type, drawn)
    if (length === null) return null
    size += length
  }
  return size
}

function sizeOf(child: unknown, drawn: Drawn): number | null {
  if (child instanceof Y.XmlText) return child.length
  return child instanceof Y.XmlElement ? (drawn.get(child)?.nodeSize ?? null) : null
}

export interface RelativeRange {
  anchor: Y.RelativePosition
  head: Y.RelativePosition
}

/** Base64 of the binary form, as comments store it. */
export function encodePosition(position: Y.RelativePosition): string {
  return btoa(String.fromCharCode(...Y.encodeRelativePosition(position)))
}

/** Null for anything that is no relative position. */
export function decodePosition(text: string): Y.RelativePosition | null {
  try {
    return Y.decodeRelativePosition(Uint8Array.from(atob(text), (char) => char.charCodeAt(0)))
  } catch {
    return null
  }
}
