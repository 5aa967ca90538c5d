// Finding a text in a document: per block, kept until the block changes.
import type { Node } from '@tiptap/pm/model'

export interface Query {
  text: string
  caseSensitive: boolean
  wholeWord: boolean
}

export interface Match {
  from: number
  to: number
}

/** More are not counted. */
export const MOST_MATCHES = 100_000

/** Searches documents for one query; a block is looked at once. */
export function searcher(query: Query): (doc: Node) => Match[] {
  const pattern = patternOf(query)
  const found = new WeakMap<Node, readonly Match[]>()
  const inBlock = (block: Node): readonly Match[] => {
    let matches = found.get(block)
    if (matches === undefined) {
      const text = block.textBetween(0, block.content.size, undefined, '\ufffc')
      matches = pattern === null ? [] : [...text.matchAll(pattern)].map(({ index, 0: { length } }) => ({ from: index, to: index + length }))
      found.set(block, matches)
    }
    return matches
  }
  return (doc) => {
    const all: Match[] = []
    doc.descendants((node, pos) => {
      if (!node.isTextblock) return all.length < MOST_MATCHES
      for (const { from, to } of inBlock(node)) all.push({ from: pos + 1 + from, to: pos + 1 + to })
      return false
    })
    return all.slice(0, MOST_MATCHES)
  }
}

/** The text as it is, never as a pattern. Case is folded by the engine, so that offsets stay right. */
function patternOf({ text, caseSensitive, wholeWord }: Query): RegExp | null {
  if (text === '') return null
  const exact = text.replace(/[\\^$.*+?()[\]{}|/-]/g, (sign) => `\\u{${sign.codePointAt(0)!.toString(16)}}`).replace(/ /g, '[ \\u{a0}]')
  const whole = wholeWord ? `(?<![\\p{L}\\p{N}\\p{M}_])${exact}(?![\\p{L}\\p{N}\\p{M}_])` : exact
  return new RegExp(whole, caseSensitive ? 'gu' : 'giu')
}

/** The index of the first match at or after `pos`; 0 when all stand before it. */
export function nextFrom(matches: readonly Match[], pos: number): number {
  let low = 0
  let high = matches.length
  while (low < high) {
    const middle = (low + high) >> 1
    if (matches[middle]!.from < pos) low = middle + 1
    else high = middle
  }
  return low === matches.length ? 0 : low
}
