// From the shared fragment to ProseMirror nodes: reads, checks, and never writes.
import { Fragment, Mark, type MarkType, type Node, type NodeType, type Schema } from '@tiptap/pm/model'
import * as Y from 'yjs'
import { isSound } from '../schema/values'
import { Foreign } from './foreign'

export type Shared = Y.XmlFragment | Y.XmlElement
export type SharedChild = Y.XmlElement | Y.XmlText

/**
 * The node that stands for each shared element on the screen. An entry holds as long as nothing
 * inside the element changed, so equal nodes are the same object and a diff may skip them.
 */
export type Drawn = WeakMap<Shared, Node>

/** As deep as blocks nest here; the server refuses more long before. */
const DEEPEST = 200

/** The children of a shared element, in order. */
export function childrenOf(shared: Shared): SharedChild[] {
  return shared.toArray() as SharedChild[]
}

/**
 * The whole document.
 *
 * @throws {Foreign} If anything in it does not fit the schema; nothing was changed then.
 */
export function readDocument(fragment: Y.XmlFragment, schema: Schema, drawn: Drawn): Node {
  const known = drawn.get(fragment)
  if (known !== undefined) return known
  const children = readChildren(fragment, schema, drawn, 0)
  if (!schema.topNodeType.validContent(children)) throw new Foreign('content', schema.topNodeType.name)
  const node = schema.topNodeType.create(null, children)
  drawn.set(fragment, node)
  return node
}

function readElement(element: Y.XmlElement, schema: Schema, drawn: Drawn, depth: number): Node {
  const known = drawn.get(element)
  if (known !== undefined) return known
  const name = element.nodeName
  const type = schema.nodes[name]
  if (type === undefined || type === schema.topNodeType || type.isText) throw new Foreign('node', name)
  if (depth > DEEPEST) throw new Foreign('content', 'nesting')
  const attributes: Record<string, unknown> = element.getAttributes()
  checkAttributes(type, attributes)
  const children = readChildren(element, schema, drawn, depth + 1)
  if (!type.validContent(children)) throw new Foreign('content', name)
  const node = type.create(attributes, children)
  drawn.set(element, node)
  return node
}

function checkAttributes(type: NodeType | MarkType, attributes: Record<string, unknown>): void {
  const known = type.spec.attrs ?? {}
  for (const key in attributes) {
    const isKnown = Object.hasOwn(known, key) && isSound(type.name, key, attributes[key])
    if (!isKnown) throw new Foreign('attribute', `${type.name}.${key}`)
  }
}

function readChildren(shared: Shared, schema: Schema, drawn: Drawn, depth: number): Fragment {
  const nodes: Node[] = []
  for (const child of shared.toArray()) {
    if (child instanceof Y.XmlElement) nodes.push(readElement(child, schema, drawn, depth))
    else if (child instanceof Y.XmlText) readText(child, schema, nodes)
    else throw new Foreign('node', child.constructor.name)
  }
  return Fragment.fromArray(nodes)
}

/** Appends the text's nodes to `nodes`. */
export function readText(text: Y.XmlText, schema: Schema, nodes: Node[]): void {
  for (const { insert, attributes } of text.toDelta() as TextRun[]) {
    if (typeof insert !== 'string') throw new Foreign('node', 'embed')
    if (insert !== '') nodes.push(schema.text(insert, marksOf(attributes, schema)))
  }
}

export interface TextRun {
  insert: unknown
  attributes?: Record<string, unknown>
}

/** The marks that a run's attributes stand for. */
export function marksOf(attributes: Record<string, unknown> | undefined, schema: Schema): readonly Mark[] {
  if (attributes === undefined) return Mark.none
  const marks: Mark[] = []
  for (const key in attributes) {
    const name = markName(key)
    const type = schema.marks[name]
    if (type === undefined) throw new Foreign('mark', name)
    const value = attributes[key]
    if (typeof value === 'object' && value !== null) {
      checkAttributes(type, value as Record<string, unknown>)
      marks.push(type.create(value))
    } else marks.push(type.create())
  }
  return Mark.setFrom(marks)
}

/** Marks that may overlap themselves are stored as `name--<hash>` by other editors. */
function markName(key: string): string {
  return /^(.*)--[a-zA-Z0-9+/=]{8}$/.exec(key)?.[1] ?? key
}
