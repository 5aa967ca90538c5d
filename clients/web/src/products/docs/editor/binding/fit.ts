// Whether what a transaction made fits the schema.
import type { Node } from '@tiptap/pm/model'
import type { Transaction } from '@tiptap/pm/state'
import { changedRanges } from '../content/changes'

/**
 * Commands may build nodes unchecked (prosemirror-tables does, in a table that concurrent edits left
 * with holes). Written to the shared document that would be foreign to everybody. Only what changed
 * is looked at.
 */
export function fits(tr: Transaction): boolean {
  return changedRanges([tr]).every(({ from, to }) => fitsBetween(tr.doc, from, to))
}

function fitsBetween(node: Node, from: number, to: number): boolean {
  let start = 0
  for (const child of node.content.content) {
    const end = start + child.nodeSize
    // All of it happened inside this child: the others and their order are what they were.
    if (!child.isText && start < from && to < end) return fitsBetween(child, from - start - 1, to - start - 1)
    if (start > to) break
    start = end
  }
  if (!node.type.validContent(node.content)) return false
  start = 0
  for (const child of node.content.content) {
    const end = start + child.nodeSize
    if (end > from && start < to && !child.isLeaf && !fitsBetween(child, 0, child.content.size)) return false
    start = end
  }
  return true
}
