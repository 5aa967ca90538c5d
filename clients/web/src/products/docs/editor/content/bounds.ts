// What one document holds at most: nothing typed or pasted here goes beyond what the schema allows.
import schema from '@schema/docs'
import { Fragment, Mark, type Node, Slice } from '@tiptap/pm/model'
import { Plugin, PluginKey, type EditorState, type Transaction } from '@tiptap/pm/state'
import { isRemote } from '../binding/binding'
import { safeLink } from '../schema/links'
import type { EditorEvent, Words } from '../types'
import { changedRanges, isLocalChange } from './changes'
import { hasId, newId } from './ids'

const { nesting: DEEPEST, text: LONGEST } = schema.limits

interface Rule {
  kind: string
  max?: number
  min?: number
  of?: readonly string[]
  pattern?: string
}
const RULES = schema.values as unknown as Readonly<Record<string, Rule>>

export interface BoundsHooks {
  words: () => Words
  onEvent: (event: EditorEvent) => void
}

/**
 * Refuses, in words, what would nest too deep or make a block too long, and mends attributes that
 * somebody typed beyond their range. A document that is beyond a bound already may stay there.
 */
export function bounds({ words, onEvent }: BoundsHooks): Plugin {
  return new Plugin({
    key: new PluginKey('bounds'),
    filterTransaction(tr, state) {
      if (!tr.docChanged || isRemote(tr)) return true
      const over = excess(tr, state.doc)
      if (over === null) return true
      const key = over === 'too-deep' ? 'editor.bounds.deep' : 'editor.bounds.long'
      onEvent({ type: 'refused', reason: over, message: words()(key, { n: over === 'too-deep' ? DEEPEST : LONGEST }) })
      return false
    },
    appendTransaction: (transactions, _, state) => (isLocalChange(transactions) ? mendTyped(transactions, state) : null),
  })
}

interface Extent {
  depth: number
  length: number
}

/** How deep and how long the blocks of `node` are that lie between `from` and `to`. */
function extent(node: Node, from: number, to: number, depth = 0, most: Extent = { depth: 0, length: 0 }): Extent {
  most.depth = Math.max(most.depth, depth)
  if (node.inlineContent) {
    most.length = Math.max(most.length, node.content.size)
    return most
  }
  let start = 0
  for (const child of node.content.content) {
    const end = start + child.nodeSize
    if (end >= from && start <= to) extent(child, from - start - 1, to - start - 1, depth + 1, most)
    if (start > to) break
    start = end
  }
  return most
}

function excess(tr: Transaction, before: Node): 'too-deep' | 'too-long' | null {
  const now: Extent = { depth: 0, length: 0 }
  for (const { from, to } of changedRanges([tr])) extent(tr.doc, from, to, 0, now)
  if (now.depth <= DEEPEST && now.length <= LONGEST) return null
  const then = extent(before, 0, before.content.size)
  if (now.depth > Math.max(DEEPEST, then.depth)) return 'too-deep'
  return now.length > Math.max(LONGEST, then.length) ? 'too-long' : null
}

/** What was pasted, with attributes in their range and an id for each block that has none. */
export function fitted(slice: Slice): Slice {
  return new Slice(fittedContent(slice.content), slice.openStart, slice.openEnd)
}

function fittedContent(content: Fragment): Fragment {
  return Fragment.fromArray(content.content.map((node) => {
    const marks = fittedMarks(node.marks)
    if (node.isText) return node.mark(marks)
    const attrs = fittedAttributes(node)
    // At once: one by one after the paste they would take a time that grows with the square of their number.
    if (hasId(node) && attrs['id'] === null) attrs['id'] = newId()
    return node.type.create(attrs, fittedContent(node.content), marks)
  }))
}

function fittedMarks(marks: readonly Mark[]): readonly Mark[] {
  return marks.flatMap((mark) => {
    if (mark.type.name === 'link' && safeLink(String(mark.attrs['href'] ?? '')) === null) return []
    const attrs = fittedAttributes(mark)
    return [mark.type.create(attrs)]
  })
}

function fittedAttributes(owner: Node | Mark): Record<string, unknown> {
  const attrs: Record<string, unknown> = { ...owner.attrs }
  const specs = (owner.type.spec.attrs ?? {}) as Record<string, { default?: unknown }>
  for (const name in attrs) {
    const rule = RULES[`${owner.type.name}.${name}`] ?? RULES[name]
    if (rule !== undefined) attrs[name] = fit(attrs[name], rule, specs[name]?.default)
  }
  return attrs
}

function fit(value: unknown, rule: Rule, otherwise: unknown): unknown {
  if (value === otherwise) return value
  const { max = Infinity, min = -Infinity } = rule
  switch (rule.kind) {
    case 'text': {
      if (typeof value !== 'string') return otherwise
      // Not inside of an emoji.
      const text = value.length > max ? value.slice(0, max).replace(/[\ud800-\udbff]$/, '') : value
      return rule.pattern === undefined || new RegExp(`^(?:${rule.pattern})$`).test(text) ? text : otherwise
    }
    case 'choice':
      return rule.of?.includes(String(value)) === true ? value : otherwise
    case 'integer':
      return typeof value === 'number' && Number.isFinite(value) ? Math.min(max, Math.max(min, Math.trunc(value))) : otherwise
    case 'boolean':
      return typeof value === 'boolean' ? value : otherwise
    case 'integers':
      return Array.isArray(value) && value.every((each) => Number.isInteger(each) && each >= min && each <= max) ? value : otherwise
    default:
      return value
  }
}

function mendTyped(transactions: readonly Transaction[], state: EditorState): Transaction | null {
  const { doc, tr } = state
  for (const { from, to } of changedRanges(transactions)) {
    doc.nodesBetween(from, Math.min(to + 1, doc.content.size), (node, pos) => {
      if (node.isText) return false
      const attrs = fittedAttributes(node)
      for (const name in attrs) if (attrs[name] !== node.attrs[name]) tr.setNodeAttribute(pos, name, attrs[name])
      return !node.isTextblock
    })
  }
  return tr.docChanged ? tr : null
}
