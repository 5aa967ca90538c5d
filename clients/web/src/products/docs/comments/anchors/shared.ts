// A change of the shared document that was not made in this editor: others' changes, undo and redo.
import * as Y from 'yjs'
import { type Link, link } from './links'
import { branchOf, type Outline, type Span, structsOf } from './outline'
import { LEAF } from './units'

/** Text that was deleted or written in a row, and its shared characters. */
export interface Line {
  readonly text: string
  readonly spans: readonly (Span & { readonly offset: number })[]
}

class Draft {
  readonly texts: string[] = []
  readonly spans: { client: number; clock: number; length: number; offset: number }[] = []
  length = 0

  add(item: Y.Item, offset: number, text: string): void {
    const span = { client: item.id.client, clock: item.id.clock + offset, length: text.length, offset: this.length }
    const last = this.spans.at(-1)
    if (last?.client === span.client && last.clock + last.length === span.clock) last.length += text.length
    else this.spans.push(span)
    this.texts.push(text)
    this.length += text.length
  }
}

/** What a transaction of the shared document did; valid until it is cleaned up. */
export class SharedChange {
  readonly #transaction: Y.Transaction
  readonly #outline: Outline
  #lines: { gone: Line[]; come: Line[] } | null = null
  #links: readonly Link[] | null = null

  constructor(transaction: Y.Transaction, outline: Outline) {
    this.#transaction = transaction
    this.#outline = outline
  }

  get hasDeleted(): boolean {
    return this.#transaction.deleteSet.clients.size > 0
  }

  /** Whether `id` was written by it. */
  isNew(client: number, clock: number): boolean {
    return clock >= (this.#transaction.beforeState.get(client) ?? 0)
  }

  /** The parts of `span` that it has deleted. */
  deletedIn(span: Span): Span[] {
    const end = span.clock + span.length
    return (this.#transaction.deleteSet.clients.get(span.client) ?? []).flatMap(({ clock, len }) => {
      const [first, last] = [Math.max(span.clock, clock), Math.min(end, clock + len)]
      return first < last ? [{ client: span.client, clock: first, length: last - first }] : []
    })
  }

  /** Texts deleted and texts written, in the order of the document inside each block. */
  get lines(): { readonly gone: readonly Line[]; readonly come: readonly Line[] } {
    if (this.#lines !== null) return this.#lines
    const [gone, come]: [Line[], Line[]] = [[], []]
    for (const block of this.#blocks()) this.#read(block, gone, come)
    return (this.#lines = { gone, come })
  }

  get links(): readonly Link[] {
    return (this.#links ??= link(this.lines.gone.map(({ text }) => text), this.lines.come.map(({ text }) => text)))
  }

  /** The blocks whose text it has changed, in no order that means anything. */
  #blocks(): ReadonlySet<Y.XmlElement | Y.XmlFragment> {
    const { doc } = this.#transaction
    const blocks = new Set<Y.XmlElement | Y.XmlFragment>()
    const note = (struct: Y.Item | Y.GC): void => {
      if (!(struct instanceof Y.Item) || !struct.countable || struct.parentSub !== null) return
      const parent: unknown = struct.parent
      const child = branchOf(struct)
      if (child !== null && !this.#outline.isLeaf(child)) return
      const block: unknown = parent instanceof Y.XmlText ? parent._item?.parent : parent
      if (block instanceof Y.XmlElement || block instanceof Y.XmlFragment) blocks.add(block)
    }
    for (const [client, ranges] of this.#transaction.deleteSet.clients) {
      for (const { clock, len } of ranges) for (const { struct } of structsOf(doc, { client, clock, length: len })) note(struct)
    }
    for (const [client, end] of this.#transaction.afterState) {
      const clock = this.#transaction.beforeState.get(client) ?? 0
      if (clock < end) for (const { struct } of structsOf(doc, { client, clock, length: end - clock })) note(struct)
    }
    return blocks
  }

  #read(block: Y.XmlElement | Y.XmlFragment, gone: Line[], come: Line[]): void {
    let [deleted, written] = [new Draft(), new Draft()]
    const close = (draft: Draft, into: Line[]): void => {
      if (draft.length > 0) into.push({ text: draft.texts.join(''), spans: draft.spans })
    }
    const read = (item: Y.Item, text: string): void => {
      for (let offset = 0; offset < text.length; ) {
        const clock = item.id.clock + offset
        const isNew = this.isNew(item.id.client, clock)
        // An item may reach over the border between what was there and what came, where Yjs has merged them.
        const border = isNew ? text.length : Math.min(text.length, (this.#transaction.beforeState.get(item.id.client) ?? 0) - item.id.clock)
        if (!item.deleted) {
          if (isNew) written.add(item, offset, text.slice(offset, border))
          else {
            close(deleted, gone)
            close(written, come)
            ;[deleted, written] = [new Draft(), new Draft()]
          }
        } else if (!isNew) {
          for (const { clock: first, length } of this.deletedIn({ client: item.id.client, clock, length: border - offset })) {
            const from = first - item.id.clock
            deleted.add(item, from, text.slice(from, from + length))
          }
        }
        offset = border
      }
    }
    for (let item = block._start; item !== null; item = item.right) {
      const child = branchOf(item)
      if (child instanceof Y.XmlText) {
        for (let part = child._start; part !== null; part = part.right) if (part.content instanceof Y.ContentString) read(part, part.content.str)
      } else if (child !== null && this.#outline.isLeaf(child)) read(item, LEAF)
    }
    close(deleted, gone)
    close(written, come)
  }
}

/** The shared characters of `length` units of `line` from `from` on. */
export function spansOf(line: Line, from: number, length: number): (Span & { readonly offset: number })[] {
  return line.spans.flatMap((span) => {
    const [first, last] = [Math.max(from, span.offset), Math.min(from + length, span.offset + span.length)]
    return first < last ? [{ client: span.client, clock: span.clock + first - span.offset, length: last - first, offset: first - from }] : []
  })
}
