// Blocks that undo brings back although somebody has them elsewhere by now.
//
// A block that is moved or becomes another kind of block is deleted and made anew, with its id. When one
// person has done so, and another one again with what came of it, the first one's undo finds nothing of its
// own to take away, but brings the block of before back: it would be there twice.
import * as Y from 'yjs'
import type { Shared } from './read'

/** What `undone`, the transaction of an undo or redo, brought back beside its successor: to be deleted. */
export function doubles(fragment: Y.XmlFragment, undone: Y.Transaction): Y.XmlElement[] {
  const restored = restoredIn(undone)
  if (restored.size === 0) return []
  const changed = new Set<unknown>([...undone.changed.keys(), ...undone.changedParentTypes.keys()])
  const found: Y.XmlElement[] = []
  const others = new Map<string, Y.XmlElement[]>()
  walk(fragment, (element) => {
    const id = element.getAttribute('id')
    if (id !== undefined && !restored.has(element)) others.set(id, [...(others.get(id) ?? []), element])
  })
  for (const element of restored) {
    const id = element.getAttribute('id')
    const twins = id === undefined ? [] : (others.get(id) ?? [])
    // What the undo changed itself is no successor, but what is left of what it took away.
    const hasSuccessor = twins.some((twin) => !changed.has(twin) && isWithin(textOf(element), textOf(twin)))
    if (hasSuccessor && !found.some((outer) => contains(outer, element))) found.push(element)
  }
  return found
}

function restoredIn({ doc, beforeState }: Y.Transaction): Set<Y.XmlElement> {
  const restored = new Set<Y.XmlElement>()
  const structs = doc.store.clients.get(doc.clientID) ?? []
  const from = beforeState.get(doc.clientID) ?? 0
  for (let at = structs.length - 1; at >= 0 && structs[at]!.id.clock >= from; at -= 1) {
    const struct = structs[at]!
    if (!(struct instanceof Y.Item) || struct.deleted || !(struct.content instanceof Y.ContentType)) continue
    const type = struct.content.type as unknown
    if (type instanceof Y.XmlElement) restored.add(type)
  }
  return restored
}

function walk(shared: Shared, see: (element: Y.XmlElement) => void): void {
  for (const child of shared.toArray() as unknown[]) {
    if (!(child instanceof Y.XmlElement)) continue
    see(child)
    walk(child, see)
  }
}

function contains(outer: Y.XmlElement, inner: Y.XmlElement): boolean {
  for (let at: unknown = inner.parent; at instanceof Y.XmlElement; at = at.parent) if (at === outer) return true
  return false
}

function textOf(shared: Shared): string {
  return (shared.toArray() as unknown[])
    .map((child) => (child instanceof Y.XmlText ? (child.toDelta() as { insert: unknown }[]).map(({ insert }) => (typeof insert === 'string' ? insert : '')).join('') : child instanceof Y.XmlElement ? textOf(child) : ''))
    .join('')
}

/** Whether all of `text` is there, in order: only then nothing is lost with it. */
function isWithin(text: string, whole: string): boolean {
  let at = 0
  for (const unit of text) {
    at = whole.indexOf(unit, at) + unit.length
    if (at < unit.length) return false
  }
  return true
}
