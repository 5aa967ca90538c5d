// From ProseMirror nodes to the shared fragment: the smallest change that makes it say the same.
//
// What stays on the screen stays the same shared element, so that what others do to it at the same
// time is not lost. Elements are matched by the node they were drawn as, then by their block id,
// then by place.
import type { Node } from '@tiptap/pm/model'
import * as Y from 'yjs'
import { writeInline } from './inline'
import { childrenOf, type Drawn, type Shared } from './read'

/** Makes `shared` say what `node` says. `cursor` is the node's position of the last typing, if known. */
export function writeNode(shared: Shared, node: Node, drawn: Drawn, start: number, cursor: number | null): void {
  if (shared instanceof Y.XmlElement) writeAttributes(shared, node)
  if (node.inlineContent) writeInline(shared, node, drawn, cursor === null ? null : cursor - start)
  else writeBlocks(shared, node, drawn, start, cursor)
  drawn.set(shared, node)
}

/** A new shared element for `node`. */
export function createElement(node: Node, drawn: Drawn): Y.XmlElement {
  const element = new Y.XmlElement(node.type.name)
  for (const [key, value] of Object.entries(node.attrs)) {
    if (value !== null) element.setAttribute(key, value)
  }
  if (node.inlineContent) element.insert(0, createInline(node, drawn))
  else element.insert(0, node.content.content.map((child) => createElement(child, drawn)))
  drawn.set(element, node)
  return element
}

function createInline(node: Node, drawn: Drawn): (Y.XmlElement | Y.XmlText)[] {
  const made: (Y.XmlElement | Y.XmlText)[] = []
  let text: Y.XmlText | undefined
  let delta: { insert: string; attributes: Record<string, unknown> }[] = []
  const close = () => {
    text?.applyDelta(delta)
    text = undefined
    delta = []
  }
  node.forEach((child) => {
    if (child.text === undefined) {
      close()
      made.push(createElement(child, drawn))
      return
    }
    if (text === undefined) made.push((text = new Y.XmlText()))
    delta.push({ insert: child.text, attributes: attributesOf(child) })
  })
  close()
  return made
}

/** The attributes that stand for a text node's marks. */
export function attributesOf(node: Node): Record<string, unknown> {
  const attributes: Record<string, unknown> = {}
  for (const mark of node.marks) attributes[mark.type.name] = mark.attrs
  return attributes
}

function writeAttributes(element: Y.XmlElement, node: Node): void {
  const before: Record<string, unknown> = element.getAttributes()
  for (const [key, value] of Object.entries(node.attrs)) {
    if (value === null) {
      if (before[key] !== undefined) element.removeAttribute(key)
    } else if (!isSame(before[key], value)) element.setAttribute(key, value)
  }
}

/** Whether two attribute values are equal, arrays and plain objects by what they hold. */
export function isSame(one: unknown, other: unknown): boolean {
  if (one === other) return true
  if (typeof one !== 'object' || typeof other !== 'object' || one === null || other === null) return false
  const keys = Object.keys(one)
  return (
    keys.length === Object.keys(other).length &&
    keys.every((key) => isSame((one as Record<string, unknown>)[key], (other as Record<string, unknown>)[key]))
  )
}

function writeBlocks(shared: Shared, node: Node, drawn: Drawn, start: number, cursor: number | null): void {
  const nodes = node.content.content
  const children = childrenOf(shared)
  // An empty text between blocks says nothing; it is left where it is.
  const elements = children.filter((child): child is Y.XmlElement => child instanceof Y.XmlElement)
  const least = Math.min(elements.length, nodes.length)
  let head = 0
  while (head < least && drawn.get(elements[head]!) === nodes[head]) head += 1
  let tail = 0
  while (
    tail < least - head &&
    drawn.get(elements[elements.length - 1 - tail]!) === nodes[nodes.length - 1 - tail]
  ) tail += 1
  const oldPart = elements.slice(head, elements.length - tail)
  const newPart = nodes.slice(head, nodes.length - tail)
  const pairs = pair(oldPart, newPart, drawn)

  let at = oldPart.length > 0 ? children.indexOf(oldPart[0]!) : after(children, elements[head - 1])
  let position = start
  for (let index = 0; index < head; index += 1) position += nodes[index]!.nodeSize
  let next = 0
  const insertUpTo = (end: number) => {
    if (next >= end) return
    const made = newPart.slice(next, end)
    shared.insert(at, made.map((child) => createElement(child, drawn)))
    at += made.length
    for (const child of made) position += child.nodeSize
    next = end
  }
  for (const element of oldPart) {
    const match = pairs.get(element)
    if (match === undefined) {
      at = placeOf(shared, element, at)
      shared.delete(at, 1)
      continue
    }
    insertUpTo(match)
    at = placeOf(shared, element, at) + 1
    const child = newPart[match]!
    if (drawn.get(element) !== child) writeNode(element, child, drawn, position + 1, cursor)
    position += child.nodeSize
    next = match + 1
  }
  insertUpTo(newPart.length)
}

function after(children: readonly unknown[], element: Y.XmlElement | undefined): number {
  return element === undefined ? 0 : children.indexOf(element) + 1
}

/** The index of `element`, looked for from `from` on; only an empty text can stand between. */
function placeOf(shared: Shared, element: Y.XmlElement, from: number): number {
  let index = from
  while (shared.get(index) !== element) index += 1
  return index
}

/** Which new node each old element becomes; an element without one is deleted. Keeps their order. */
function pair(elements: readonly Y.XmlElement[], nodes: readonly Node[], drawn: Drawn): Map<Y.XmlElement, number> {
  const pairs = new Map<Y.XmlElement, number>()
  const anchors = longestRise(candidates(elements, nodes, drawn))
  let oldFrom = 0
  let newFrom = 0
  for (const [oldAt, newAt] of [...anchors, [elements.length, nodes.length] as const]) {
    let seen = oldFrom
    for (let index = newFrom; index < newAt; index += 1) {
      const found = firstAlike(elements, seen, oldAt, nodes[index]!, drawn)
      if (found === -1) continue
      pairs.set(elements[found]!, index)
      seen = found + 1
    }
    if (oldAt < elements.length) pairs.set(elements[oldAt]!, newAt)
    oldFrom = oldAt + 1
    newFrom = newAt + 1
  }
  return pairs
}

/** Pairs that are surely meant: the same drawn node, or the same kind and block id. */
function candidates(elements: readonly Y.XmlElement[], nodes: readonly Node[], drawn: Drawn): [number, number][] {
  const byNode = new Map<Node, number[]>()
  const byId = new Map<string, number[]>()
  nodes.forEach((node, index) => {
    push(byNode, node, index)
    const id: unknown = node.attrs['id']
    if (typeof id === 'string') push(byId, `${node.type.name} ${id}`, index)
  })
  const found: [number, number][] = []
  const takenOld = new Set<number>()
  const takenNew = new Set<number>()
  const take = (places: (element: Y.XmlElement) => readonly number[] | undefined) => {
    elements.forEach((element, index) => {
      const place = takenOld.has(index) ? undefined : places(element)?.find((candidate) => !takenNew.has(candidate))
      if (place === undefined) return
      takenOld.add(index)
      takenNew.add(place)
      found.push([index, place])
    })
  }
  take((element) => {
    const node = drawn.get(element)
    return node === undefined ? undefined : byNode.get(node)
  })
  take((element) => byId.get(`${element.nodeName} ${element.getAttribute('id')}`))
  return found.sort(([one], [other]) => one - other)
}

function push<K>(map: Map<K, number[]>, key: K, index: number): void {
  const list = map.get(key)
  if (list === undefined) map.set(key, [index])
  else list.push(index)
}

/** The longest part of `pairs` (rising in the first) that rises in the second too. */
function longestRise(pairs: readonly [number, number][]): readonly [number, number][] {
  const tails: number[] = []
  const before: number[] = []
  pairs.forEach(([, value], index) => {
    let low = 0
    let high = tails.length
    while (low < high) {
      const middle = (low + high) >> 1
      if (pairs[tails[middle]!]![1] < value) low = middle + 1
      else high = middle
    }
    before[index] = low > 0 ? tails[low - 1]! : -1
    tails[low] = index
  })
  const rise: [number, number][] = []
  for (let index = tails.at(-1) ?? -1; index >= 0; index = before[index]!) rise.push(pairs[index]!)
  return rise.reverse()
}

function firstAlike(elements: readonly Y.XmlElement[], from: number, to: number, node: Node, drawn: Drawn): number {
  for (let index = from; index < to; index += 1) {
    const element = elements[index]!
    if (element.nodeName !== node.type.name) continue
    const id = element.getAttribute('id') ?? null
    const wanted: unknown = node.attrs['id'] ?? null
    if (id === null || wanted === null || id === wanted || holdsTheSame(drawn.get(element), node)) return index
  }
  return -1
}

/** Only the attributes differ, e.g. a block that was given another id. */
function holdsTheSame(before: Node | undefined, now: Node): boolean {
  return (
    before !== undefined &&
    before.childCount === now.childCount &&
    before.childCount > 0 &&
    before.content.content.every((child, index) => child === now.child(index))
  )
}
