// A comment's place by its words alone: for anchors that lead nowhere.
import type { Node } from '@tiptap/pm/model'
import type { Range } from './layout'
import { contextAt, findQuote, likeness, plain, type Quote } from './quotes'
import { rangeOf, type Units, unitAt, unitsOf } from './units'

/** So many units in a row that agree, with what stands around them, are no other passage. */
const CONVINCING = 20
/** Words alone, without anything around them that agrees, need as many. */
const ALONE = 40
/** Of what stands around so many units must agree. */
const AROUND = 5

/** The quote's place: in its block, then beside it, then anywhere. Null where nothing is convincing. */
export function locate(doc: Node, whole: Units, quote: Quote, block: string | null, expired: () => boolean): Range | null {
  const wanted = { ...quote, text: plain(quote.text) }
  const home = block === null ? null : topOf(doc, block)
  for (const reach of home === null ? [] : [0, 2]) {
    const first = Math.max(0, (home?.index ?? 0) - reach)
    let start = home?.start ?? 0
    for (let back = home?.index ?? 0; back > first; back -= 1) start -= doc.child(back - 1).nodeSize
    const units = unitsOf(doc, first, Math.min(doc.childCount, (home?.index ?? 0) + reach + 1))
    const found = findQuote(units.text, wanted, 0, expired)
    if (found !== null && found.likeness === 1 && found.context >= 0.3) return rangeOf(units, found.first, found.last)
  }
  const found = findQuote(whole.text, wanted, home === null ? 0 : unitAt(whole, home.start), expired)
  if (found === null) return null
  const sure = found.likeness === 1 ? convincing(whole.text, found.first, found.last, wanted) : found.likeness > 0.8 && found.context > 0.5
  return sure ? rangeOf(whole, found.first, found.last) : null
}

/** How much of the quote stands in `text`, from 0 to 1. */
export function resemblance(text: string, quote: Quote): number {
  const words = plain(quote.text)
  return Math.max(likeness(text, words), text.length >= 3 && words.includes(text) ? 0.55 : 0)
}

/** The top block that is or holds the block with this id. */
function topOf(doc: Node, block: string): { index: number; start: number } | null {
  let found: { index: number; start: number } | null = null
  doc.forEach((child, start, index) => {
    if (found !== null) return
    let holds = child.attrs['id'] === block
    if (!holds) child.descendants((node) => {
      if (node.attrs['id'] === block) holds = true
      return !holds && !node.isTextblock
    })
    if (holds) found = { index, start }
  })
  return found
}

function convincing(text: string, first: number, last: number, quote: Quote): boolean {
  const around = contextAt(text, first, last, quote) * (quote.prefix.length + quote.suffix.length)
  return last - first >= ALONE || (last - first + around >= CONVINCING && around >= AROUND)
}
