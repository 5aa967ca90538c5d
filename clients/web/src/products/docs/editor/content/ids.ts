// Every block has an id of its own: comments, links and the diff of versions hold on to it.
import type { Node } from '@tiptap/pm/model'
import { Plugin, PluginKey, type EditorState, type Transaction } from '@tiptap/pm/state'
import { changedRanges, isLocalChange } from './changes'

const LETTERS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789'

/** 16 random letters and digits. */
export function newId(): string {
  let id = ''
  while (id.length < 16) {
    for (const byte of crypto.getRandomValues(new Uint8Array(24))) {
      // Above 248 the first letters would come more often.
      if (byte < 248 && id.length < 16) id += LETTERS[byte % 62]
    }
  }
  return id
}

/** Whether nodes of this kind carry a block id; a mention's `id` is a person. */
export function hasId(node: Node): boolean {
  return node.isBlock && node.type.spec.attrs?.['id'] !== undefined
}

interface Placed {
  node: Node
  pos: number
}

/**
 * Gives ids to blocks that have none, and new ones to copies, after what the person did here; never
 * after others' changes, because everybody would do it at once.
 */
export function blockIds(): Plugin {
  return new Plugin({
    key: new PluginKey('blockIds'),
    appendTransaction: (transactions, _, state) => (isLocalChange(transactions) ? giveIds(transactions, state) : null),
  })
}

function giveIds(transactions: readonly Transaction[], state: EditorState): Transaction | null {
  const { doc, tr } = state
  const fresh = new Map<number, Node>()
  for (const { from, to } of changedRanges(transactions)) {
    if (from === to) continue
    doc.nodesBetween(from, Math.min(to, doc.content.size), (node, pos) => {
      if (hasId(node) && ((pos >= from && pos < to) || node.attrs['id'] === null)) fresh.set(pos, node)
      return !node.isTextblock
    })
  }
  if (fresh.size === 0) return null
  const copies = [...fresh.values()].some((node) => node.attrs['id'] !== null) ? duplicates(doc, fresh) : new Set<number>()
  for (const [pos, node] of fresh) {
    if (node.attrs['id'] === null) copies.add(pos)
  }
  for (const pos of copies) tr.setNodeAttribute(pos, 'id', newId())
  return tr.docChanged ? tr : null
}

/** Where copies stand that need another id. Of two equal ones the older keeps it, or the one that is not empty. */
function duplicates(doc: Node, fresh: ReadonlyMap<number, Node>): Set<number> {
  const wanted = new Set([...fresh.values()].map((node) => node.attrs['id'] as unknown))
  const byId = new Map<unknown, Placed[]>()
  doc.descendants((node, pos) => {
    const id: unknown = node.attrs['id']
    if (hasId(node) && id !== null && wanted.has(id)) {
      const same = byId.get(id)
      if (same === undefined) byId.set(id, [{ node, pos }])
      else same.push({ node, pos })
    }
    return !node.isTextblock
  })
  const copies = new Set<number>()
  for (const same of byId.values()) {
    if (same.length < 2) continue
    const kept =
      same.find(({ node, pos }) => !fresh.has(pos) && !isEmpty(node)) ??
      same.find(({ node }) => !isEmpty(node)) ??
      same.find(({ pos }) => !fresh.has(pos)) ??
      same[0]
    for (const { pos } of same) if (pos !== kept?.pos) copies.add(pos)
  }
  return copies
}

function isEmpty(node: Node): boolean {
  if (node.isTextblock) return node.content.size === 0
  let isEmptyInside = !node.isLeaf
  node.forEach((child) => {
    if (!isEmpty(child)) isEmptyInside = false
  })
  return isEmptyInside
}
