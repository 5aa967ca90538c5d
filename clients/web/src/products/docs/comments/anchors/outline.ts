// Where the shared document's characters stand in the editor, and which ones stand at a place of it.
import type { Schema } from '@tiptap/pm/model'
import * as Y from 'yjs'

type Branch = Y.XmlElement | Y.XmlText | Y.XmlFragment

/** Units of the shared document that were written in a row: text in UTF-16 code units, or a leaf. */
export interface Span {
  readonly client: number
  readonly clock: number
  readonly length: number
}

export function branchOf(item: Y.Item): Branch | null {
  const { content } = item
  if (!(content instanceof Y.ContentType)) return null
  const { type } = content
  return type instanceof Y.XmlText || type instanceof Y.XmlElement ? type : null
}

/** The structs that hold `span`, with the part of it that each holds; those not received yet are left out. */
export function* structsOf(doc: Y.Doc, { client, clock, length }: Span): Generator<{ struct: Y.Item | Y.GC; clock: number; length: number; offset: number }> {
  const end = Math.min(clock + length, Y.getState(doc.store, client))
  for (let at = clock; at < end; ) {
    const struct: Y.Item | Y.GC = Y.getItem(doc.store, Y.createID(client, at))
    const size = Math.min(end, struct.id.clock + struct.length) - at
    yield { struct, clock: at, length: size, offset: at - struct.id.clock }
    at += size
  }
}

/** One state of the shared document; make a new one after every change. */
export class Outline {
  readonly root: Y.XmlFragment
  readonly #schema: Schema
  #tops: readonly { readonly item: Y.Item; readonly pos: number }[] | null = null
  readonly #inside = new Map<Branch, ReadonlyMap<Y.Item, number>>()
  #size = 0

  constructor(root: Y.XmlFragment, schema: Schema) {
    this.root = root
    this.#schema = schema
  }

  /** How much room the content takes in the editor. */
  get size(): number {
    this.#top()
    return this.#size
  }

  isLeaf(branch: Branch): boolean {
    return branch instanceof Y.XmlElement && this.#schema.nodes[branch.nodeName]?.isLeaf === true
  }

  /** The editor's position before what `item` holds at `offset`; null if it is deleted. */
  posOf(item: Y.Item, offset: number): number | null {
    if (item.deleted) return null
    let pos = offset + (this.#places(item.parent as Branch).get(item) ?? 0)
    for (let branch = item.parent as Branch; branch !== this.root; ) {
      const above: Y.Item | null = branch._item
      if (above === null || above.deleted) return null
      if (!(branch instanceof Y.XmlText)) pos += 1
      branch = above.parent as Branch
      pos += this.#places(branch).get(above) ?? 0
    }
    return pos
  }

  /** The editor's position where `item` would stand; null if its block is gone. */
  placeOf(item: Y.Item): number | null {
    let left = item.left
    while (left !== null && (left.deleted || !left.countable)) left = left.left
    if (left !== null) {
      const child = branchOf(left)
      const pos = this.posOf(left, 0)
      return pos === null ? null : pos + (child === null ? left.length : this.#sizeOf(child))
    }
    let pos = 0
    for (let branch = item.parent as Branch; branch !== this.root; ) {
      const above: Y.Item | null = branch._item
      if (above === null || above.deleted) return null
      if (!(branch instanceof Y.XmlText)) pos += 1
      branch = above.parent as Branch
      pos += this.#places(branch).get(above) ?? 0
    }
    return pos
  }

  /** The units between two positions of the editor, in order. */
  spansIn(from: number, to: number): Span[] {
    const spans: Span[] = []
    const add = (item: Y.Item, offset: number, length: number): void => {
      const last = spans.at(-1)
      const clock = item.id.clock + offset
      if (last?.client === item.id.client && last.clock + last.length === clock) spans[spans.length - 1] = { ...last, length: last.length + length }
      else spans.push({ client: item.id.client, clock, length })
    }
    /** Returns the position after `item`. */
    const visit = (item: Y.Item, pos: number): number => {
      if (item.deleted || !item.countable) return pos
      const child = branchOf(item)
      if (child === null) {
        const [first, last] = [Math.max(from, pos), Math.min(to, pos + item.length)]
        if (first < last) add(item, first - pos, last - first)
        return pos + item.length
      }
      const size = this.#sizeOf(child)
      if (pos + size <= from || pos >= to) return pos + size
      if (this.isLeaf(child)) add(item, 0, 1)
      else {
        let inner = child instanceof Y.XmlText ? pos : pos + 1
        for (let part = child._start; part !== null && inner < to; part = part.right) inner = visit(part, inner)
      }
      return pos + size
    }
    const tops = this.#top()
    let [low, high] = [0, tops.length]
    while (low < high) {
      const middle = (low + high) >> 1
      if ((tops[middle]?.pos ?? 0) <= from) low = middle + 1
      else high = middle
    }
    for (let index = Math.max(0, low - 1); index < tops.length; index += 1) {
      const top = tops[index]
      if (top === undefined || top.pos >= to) break
      visit(top.item, top.pos)
    }
    return spans
  }

  #top(): readonly { readonly item: Y.Item; readonly pos: number }[] {
    if (this.#tops !== null) return this.#tops
    const tops: { item: Y.Item; pos: number }[] = []
    let pos = 0
    for (let item = this.root._start; item !== null; item = item.right) {
      const child = item.deleted ? null : branchOf(item)
      if (child === null) continue
      tops.push({ item, pos })
      pos += this.#sizeOf(child)
    }
    this.#size = pos
    this.#tops = tops
    return tops
  }

  /** Where in `branch` each of its items begins. */
  #places(branch: Branch): ReadonlyMap<Y.Item, number> {
    const known = this.#inside.get(branch)
    if (known !== undefined) return known
    const places = new Map<Y.Item, number>()
    let pos = 0
    for (let item = branch._start; item !== null; item = item.right) {
      if (item.deleted) continue
      places.set(item, pos)
      const child = branchOf(item)
      pos += child !== null ? this.#sizeOf(child) : item.countable ? item.length : 0
    }
    this.#inside.set(branch, places)
    return places
  }

  #sizeOf(branch: Branch): number {
    if (branch instanceof Y.XmlText) return branch.length
    if (this.isLeaf(branch)) return 1
    let size = 2
    for (let item = branch._start; item !== null; item = item.right) {
      const child = item.deleted ? null : branchOf(item)
      if (child !== null) size += this.#sizeOf(child)
    }
    return size
  }
}
