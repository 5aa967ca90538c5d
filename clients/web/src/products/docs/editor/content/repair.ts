// Two people who move the same block at once leave two blocks with one id; this gives one a new id.
import * as Y from 'yjs'
import type { Binding } from '../binding/binding'
import type { Shared } from '../binding/read'
import { repeatedIds } from './survey'

const LETTERS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789'

/**
 * Of the blocks that share an id the one made first keeps it; the others get one that follows from
 * the id and from who made them. Every client that repairs writes the same, so it does no harm when
 * all do it at once. Nobody's undo holds it. Returns how many were changed.
 */
export function repairIds(binding: Binding): number {
  const repeated = repeatedIds(binding.document)
  if (repeated.size === 0 || binding.halted || !binding.editable) return 0
  const blocks = new Map<string, Y.XmlElement[]>()
  collect(binding.fragment, repeated, blocks)
  const changes: [Y.XmlElement, string][] = []
  for (const [id, same] of blocks) {
    same.sort((one, other) => compare(one._item!.id, other._item!.id))
    for (const element of same.slice(1)) changes.push([element, derivedId(id, element._item!.id)])
  }
  if (changes.length === 0) return 0
  binding.silently(() => {
    for (const [element, id] of changes) element.setAttribute('id', id)
  })
  return changes.length
}

function compare(one: Y.ID, other: Y.ID): number {
  return one.client - other.client || one.clock - other.clock
}

function collect(shared: Shared, ids: ReadonlySet<string>, blocks: Map<string, Y.XmlElement[]>): void {
  for (const child of shared.toArray()) {
    if (!(child instanceof Y.XmlElement) || child.nodeName === 'mention') continue
    const id: unknown = child.getAttribute('id')
    if (typeof id === 'string' && ids.has(id)) {
      const same = blocks.get(id)
      if (same === undefined) blocks.set(id, [child])
      else same.push(child)
    }
    collect(child, ids, blocks)
  }
}

/** 16 letters and digits from a 96-bit hash (three rounds of FNV-1a with different starts). */
function derivedId(id: string, { client, clock }: Y.ID): string {
  const text = `${id}/${client}/${clock}`
  let made = ''
  for (let round = 0; made.length < 16; round += 1) {
    let hash = (0x811c9dc5 ^ Math.imul(round + 1, 0x9e3779b1)) >>> 0
    for (let at = 0; at < text.length; at += 1) hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193) >>> 0
    for (let digit = 0; digit < 5 && made.length < 16; digit += 1) {
      made += LETTERS[hash % 62]
      hash = Math.floor(hash / 62)
    }
  }
  return made
}
