// The anchor of a new comment, and what a comment's place is made of.
import type { Node } from '@tiptap/pm/model'
import type * as Y from 'yjs'
import type { Anchor } from '../../editor/types'
import { type Ends, endsAt } from './ends'
import type { Range } from './layout'
import { Outline } from './outline'
import { CONTEXT, type Quote } from './quotes'
import { LEAF, rangeOf, unitAt, unitsOf } from './units'

export type { Anchor } from '../../editor/types'

/** Where a comment's words are: `ranges` in the order of the document, `from` to `to` the first of them. */
export interface Place extends Range {
  readonly ranges: readonly Range[]
}

/** A new anchor for a thread: the body of `comment.anchor`. */
export interface Repair {
  readonly thread: string
  readonly a: Ends
  readonly block: string | null
}

/** A quote is kept up to here: what the server takes. */
const LONGEST_QUOTE = 2000

/** The anchor of a new comment on what is between `from` and `to`; null if nothing is. */
export function anchorAt(root: Y.XmlFragment, doc: Node, from: number, to: number): Anchor | null {
  const units = unitsOf(doc)
  const [first, last] = [unitAt(units, from), unitAt(units, to)]
  const range = rangeOf(units, first, last)
  if (range === null) return null
  const a = endsAt(new Outline(root, doc.type.schema), [range])
  if (a === null) return null
  return { a: { ...a }, quote: quoteOf(doc, units.text, range, first, last), block: blockAt(doc, range.from) }
}

function quoteOf(doc: Node, text: string, { from, to }: Range, first: number, last: number): Quote {
  return {
    text: doc.textBetween(from, to, '\n', LEAF).slice(0, LONGEST_QUOTE),
    prefix: text.slice(Math.max(0, first - CONTEXT), first),
    suffix: text.slice(last, last + CONTEXT),
  }
}

/** The id of the innermost block with one at `pos`. */
export function blockAt(doc: Node, pos: number): string | null {
  const at = doc.resolve(pos)
  const after = at.nodeAfter
  if (after !== null && after.isBlock && typeof after.attrs['id'] === 'string') return after.attrs['id']
  for (let depth = at.depth; depth > 0; depth -= 1) {
    const id: unknown = at.node(depth).attrs['id']
    if (typeof id === 'string') return id
  }
  return null
}

