// Words, headings and ids of a document, counted once per block and not again until it changes.
import type { Node } from '@tiptap/pm/model'
import { levelOf } from '../schema/nodes'
import type { Heading } from '../types'
import { hasId } from './ids'

export interface Survey {
  words: number
  characters: number
  headings: readonly Heading[]
}

interface Entry extends Survey {
  ids: readonly string[]
}

const NOTHING: Entry = { words: 0, characters: 0, headings: [], ids: [] }

/** A block is the same object until something in it changes. */
const surveyed = new WeakMap<Node, Entry>()

let segmenter: Intl.Segmenter | null | undefined

/**
 * The words of a text. Runs of letters and digits count as one, with their apostrophes and hyphens;
 * languages without spaces are counted by the browser's dictionary.
 */
export function countWords(text: string): number {
  if (!/[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff]/.test(text)) {
    return text.match(/[\p{L}\p{N}\p{M}]+(?:['’.,\-‐‑][\p{L}\p{N}\p{M}]+)*/gu)?.length ?? 0
  }
  segmenter ??= typeof Intl.Segmenter === 'function' ? new Intl.Segmenter(undefined, { granularity: 'word' }) : null
  if (segmenter === null) return text.match(/[\p{L}\p{N}]/gu)?.length ?? 0
  let words = 0
  for (const { isWordLike } of segmenter.segment(text)) if (isWordLike === true) words += 1
  return words
}

/** Characters as people count them nearly: code points. */
export function countCharacters(text: string): number {
  let pairs = 0
  for (let at = 0; at < text.length; at += 1) {
    const code = text.charCodeAt(at)
    if (code >= 0xdc00 && code <= 0xdfff) pairs += 1
  }
  return text.length - pairs
}

function textOf(node: Node): string {
  return node.textBetween(0, node.content.size, undefined, (leaf) =>
    leaf.type.name === 'mention' ? `@${String(leaf.attrs['label'])}` : ' ',
  )
}

function entryOf(node: Node): Entry {
  const known = surveyed.get(node)
  if (known !== undefined) return known
  const own = hasId(node) && typeof node.attrs['id'] === 'string' ? [node.attrs['id'] as string] : []
  let entry: Entry
  if (node.isTextblock) {
    const text = textOf(node)
    const headings: Heading[] =
      node.type.name === 'heading' && text.trim() !== '' ? [{ id: own[0] ?? null, level: levelOf(node), text: text.trim() }] : []
    entry = { words: countWords(text), characters: countCharacters(text), headings, ids: own }
  } else if (node.childCount === 0) entry = { ...NOTHING, ids: own }
  else entry = sum(node, own)
  surveyed.set(node, entry)
  return entry
}

function sum(node: Node, own: readonly string[]): Entry {
  let words = 0
  let characters = 0
  const headings: Heading[] = []
  const ids = [...own]
  node.forEach((child) => {
    const entry = entryOf(child)
    words += entry.words
    characters += entry.characters
    if (entry.headings.length > 0) headings.push(...entry.headings)
    for (const id of entry.ids) ids.push(id)
  })
  return { words, characters, headings, ids }
}

/** Costs one step per top-level block, and the text of those that changed since the last time. */
export function survey(doc: Node): Survey {
  let words = 0
  let characters = 0
  const headings: Heading[] = []
  doc.forEach((child) => {
    const entry = entryOf(child)
    words += entry.words
    characters += entry.characters
    if (entry.headings.length > 0) headings.push(...entry.headings)
  })
  return { words, characters, headings }
}

/** The ids that more than one block of the document has. */
export function repeatedIds(doc: Node): Set<string> {
  const seen = new Set<string>()
  const repeated = new Set<string>()
  doc.forEach((child) => {
    for (const id of entryOf(child).ids) {
      if (seen.has(id)) repeated.add(id)
      else seen.add(id)
    }
  })
  return repeated
}
