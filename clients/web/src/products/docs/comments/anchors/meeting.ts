// Several people in one document who split, merge, move, cut, paste, type and undo: for the tests of anchors.
import { Fragment, type Mark, type Node, Schema, Slice } from '@tiptap/pm/model'
import { EditorState, Plugin, type Transaction } from '@tiptap/pm/state'
import { canJoin, canSplit } from '@tiptap/pm/transform'
import { EditorView } from '@tiptap/pm/view'
import * as Y from 'yjs'
import { Binding, isRemote } from '../../editor/binding/binding'
import { type Anchor, anchorAt, type Repair } from './anchor'
import { Anchors } from './anchors'
import { unitsOf } from './units'

export const COMMENTS = 24
const PARAGRAPHS = 40

export const schema = new Schema({
  nodes: {
    doc: { content: 'block*' },
    paragraph: { group: 'block', content: 'inline*', attrs: { id: { default: null } }, toDOM: () => ['p', 0] },
    heading: { group: 'block', content: 'inline*', attrs: { id: { default: null }, level: { default: 1 } }, toDOM: () => ['h2', 0] },
    blockquote: { group: 'block', content: 'block*', attrs: { id: { default: null } }, toDOM: () => ['blockquote', 0] },
    text: { group: 'inline' },
  },
  marks: {
    bold: { toDOM: () => ['b', 0] },
    /** The oracle: which character of which comment this is; `written`: it was put in there since. */
    ...Object.fromEntries(Array.from({ length: COMMENTS }, (_, index) => [`commented${index}`, { attrs: { of: {}, written: { default: false } }, inclusive: false, toDOM: () => ['u', 0] as const }])),
  },
})

const WORDS = 'the a of river stone and light over water runs old bridge small house green hill wind in morning the road to town where people sing'.split(' ')

/** mulberry32 */
export function dice(seed: number): (below: number) => number {
  let state = seed >>> 0
  return (below) => {
    state = (state + 0x6d2b79f5) >>> 0
    let t = state
    t = Math.imul(t ^ (t >>> 15), t | 1)
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61)
    return Math.floor((((t ^ (t >>> 14)) >>> 0) / 4294967296) * below)
  }
}

export interface Client {
  readonly ydoc: Y.Doc
  readonly view: EditorView
  readonly anchors: Anchors
  readonly binding: Binding
  /** What others have sent and has not been read. */
  readonly inbox: Uint8Array[]
  known: number
  clipboard: { slice: Slice } | null
}

/** Gives every block an id of its own, as the editor does. */
function ids(next: () => string): Plugin {
  return new Plugin({
    appendTransaction: (transactions, _, state) => {
      if (!transactions.some((tr) => tr.docChanged) || transactions.some((tr) => isRemote(tr))) return null
      const seen = new Set<string>()
      const tr = state.tr
      state.doc.descendants((node, pos) => {
        if (node.isText) return
        const id = node.attrs['id'] as string | null
        if (id === null || seen.has(id)) tr.setNodeAttribute(pos, 'id', next())
        else seen.add(id)
      })
      return tr.docChanged ? tr : null
    },
  })
}

export class Meeting {
  readonly clients: Client[]
  readonly threads = new Map<string, Anchor>()
  /** The server's log of anchors. */
  readonly log: Repair[] = []
  #count = 0
  readonly #roll: (below: number) => number
  readonly #apart: number
  readonly size: number

  /**
   * @param size how many people there are.
   * @param apart of a hundred changes so many are made without having read what others did before.
   */
  constructor(roll: (below: number) => number, size: number, apart: number) {
    this.#roll = roll
    this.size = size
    this.#apart = apart
    const seed = new Y.Doc()
    seed.clientID = 1
    const content = Array.from({ length: PARAGRAPHS }, () => this.#paragraph())
    const first = this.#client(seed, 1, content)
    const update = Y.encodeStateAsUpdate(first.ydoc)
    this.clients = [first]
    for (let index = 1; index < this.size; index += 1) {
      const ydoc = new Y.Doc()
      ydoc.clientID = index + 1
      Y.applyUpdate(ydoc, update)
      this.clients.push(this.#client(ydoc, index + 1, null))
    }
    this.clients.forEach((client) => client.ydoc.on('update', (bytes: Uint8Array, origin: unknown) => {
      if (origin === 'net') return
      for (const other of this.clients) if (other !== client) other.inbox.push(bytes)
    }))
  }

  #paragraph(): Node {
    const words = Array.from({ length: 6 + this.#roll(16) }, () => WORDS[this.#roll(WORDS.length)])
    return schema.node('paragraph', { id: `b${(this.#count += 1)}` }, [schema.text(words.join(' '))])
  }

  #client(ydoc: Y.Doc, number: number, content: Node[] | null): Client {
    const fragment = ydoc.getXmlFragment('default')
    const binding = new Binding(fragment, schema, { foreign: (error) => { throw error } })
    const anchors = new Anchors(fragment, isRemote, undefined, () => 0)
    let count = 0
    const state = EditorState.create({
      doc: binding.document, schema,
      plugins: [binding.plugin(), ids(() => `c${number}-${(count += 1)}`), anchors.plugin],
    })
    const view = new EditorView(document.createElement('div'), { state })
    if (content !== null) view.dispatch(view.state.tr.insert(0, content))
    return { ydoc, view, anchors, binding, inbox: [], known: 0, clipboard: null }
  }

  #sync(client: Client, everything: boolean): void {
    const { inbox } = client
    let most = everything || this.#roll(100) >= this.#apart ? inbox.length : this.#roll(inbox.length + 1)
    for (; most > 0; most -= 1) Y.applyUpdate(client.ydoc, inbox.shift() as Uint8Array, 'net')
    if (everything || most > 0 || this.#roll(2) === 0) this.#tell(client)
  }

  #tell(client: Client): void {
    client.known = this.log.length
    client.anchors.set(new Map(this.threads))
  }

  #send(repairs: Repair[]): void {
    for (const { thread, a, block } of repairs) {
      const anchor = this.threads.get(thread)
      if (anchor === undefined) continue
      this.threads.set(thread, { ...anchor, a, block })
      this.log.push({ thread, a, block })
    }
  }

  settle(): void {
    // The binding writes while it draws, so what was read may have an answer.
    while (this.clients.some(({ inbox }) => inbox.length > 0)) for (const client of this.clients) this.#sync(client, true)
    for (let round = 0; round < 2; round += 1) {
      for (const client of this.clients) this.#send(client.anchors.mine())
      for (const client of this.clients) this.#tell(client)
      this.#send((this.clients[0] as Client).anchors.sweep())
      for (const client of this.clients) this.#tell(client)
    }
  }

  close(): void {
    for (const { view, binding } of this.clients) {
      view.destroy()
      binding.destroy()
    }
  }

  /** Somebody comments on some words. */
  comment(client: Client): void {
    const { view, ydoc } = client
    const units = unitsOf(view.state.doc)
    // Of six comments five are about words of one block, one goes over its end.
    const blocks = units.runs.map(({ unit }, index) => ({ first: unit, last: units.runs[index + 1]?.unit ?? units.text.length }))
    const block = blocks[this.#roll(blocks.length)] as { first: number; last: number }
    const isInside = this.#roll(6) > 0
    const room = (isInside ? block.last : units.text.length) - block.first
    const length = Math.min(room, 8 + this.#roll(40))
    const first = isInside ? block.first + this.#roll(room - length + 1) : Math.min(units.text.length - length, Math.max(block.first, block.last - 1 - this.#roll(length)))
    const at = (unit: number): number => {
      const run = units.runs.filter((each) => each.unit <= unit).at(-1) as { unit: number; pos: number }
      return run.pos + unit - run.unit
    }
    const [from, to] = [at(first), at(first + length - 1) + 1]
    const thread = `t${(this.#count += 1)}`
    const tr = view.state.tr.setMeta('addToHistory', false)
    for (let unit = 0; unit < length; unit += 1) {
      const pos = at(first + unit)
      tr.addMark(pos, pos + 1, schema.mark(`commented${this.threads.size}`, { of: `${thread}:${unit}` }))
    }
    // Nobody undoes the oracle.
    client.binding.silently(() => view.dispatch(tr))
    const anchor = anchorAt(ydoc.getXmlFragment('default'), view.state.doc, from, to)
    if (anchor !== null) this.threads.set(thread, anchor)
    this.#tell(client)
  }

  /** One change by one of them, who then says what of it moved which comment. */
  step(): string {
    const client = this.clients[this.#roll(this.size)] as Client
    const done = this.#change(client)
    this.#send(client.anchors.mine())
    return done
  }

  #change(client: Client): string {
    this.#sync(client, false)
    // People pause: each change is a step of undo of its own.
    client.binding.separate()
    const { view } = client
    const { state } = view
    const send = (tr: Transaction): void => { view.dispatch(tr) }
    const blocks: { pos: number; node: Node }[] = []
    state.doc.descendants((node, pos) => {
      if (node.isTextblock) blocks.push({ pos, node })
    })
    if (blocks.length === 0) {
      send(state.tr.insert(0, this.#paragraph()))
      return 'insert'
    }
    const block = blocks[this.#roll(blocks.length)] as { pos: number; node: Node }
    const inside = block.pos + 1 + this.#roll(block.node.content.size + 1)
    const kind = this.#roll(100)
    if (client.clipboard !== null && kind < 60) {
      const { slice } = client.clipboard
      client.clipboard = null
      send(within(state.tr.replaceRange(inside, inside, uncommented(slice, state.doc))).setMeta('uiEvent', 'paste'))
      return 'paste'
    }
    if (kind < 20) {
      if (canSplit(state.doc, inside)) send(state.tr.split(inside))
      return 'split'
    }
    if (kind < 36) {
      const at = blocks[1 + this.#roll(Math.max(1, blocks.length - 1))]?.pos
      if (at !== undefined && canJoin(state.doc, at)) send(state.tr.join(at))
      return 'join'
    }
    if (kind < 52) {
      const { doc } = state
      const from = this.#roll(doc.childCount)
      let start = 0
      for (let index = 0; index < from; index += 1) start += doc.child(index).nodeSize
      const node = doc.child(from)
      const tr = state.tr.delete(start, start + node.nodeSize)
      const to = this.#roll(tr.doc.childCount + 1)
      let pos = 0
      for (let index = 0; index < to; index += 1) pos += tr.doc.child(index).nodeSize
      send(tr.insert(pos, node))
      return 'move'
    }
    if (kind < 58) {
      const to = Math.min(block.pos + 1 + block.node.content.size, inside + 1 + this.#roll(70))
      if (inside >= to) return 'nothing'
      client.clipboard = { slice: state.doc.slice(inside, to) }
      send(state.tr.delete(inside, to).setMeta('uiEvent', 'cut'))
      return 'cut'
    }
    if (kind < 74) {
      client.binding.undo()
      return 'undo'
    }
    if (kind < 80) {
      client.binding.redo()
      return 'redo'
    }
    if (kind < 92) {
      send(within(state.tr.insertText(`${WORDS[this.#roll(WORDS.length)] ?? ''} `, inside)))
      return 'type'
    }
    if (kind < 96) {
      const to = Math.min(block.pos + 1 + block.node.content.size, inside + this.#roll(8))
      send(state.tr.delete(inside, to))
      return 'delete'
    }
    if (kind < 98) {
      send(state.tr.setNodeMarkup(block.pos, block.node.type === schema.nodes['heading'] ? schema.nodes['paragraph'] : schema.nodes['heading']))
      return 'heading'
    }
    const range = state.doc.resolve(inside).blockRange()
    if (range !== null && range.depth === 0) send(state.tr.wrap(range, [{ type: schema.nodes['blockquote'] as never }]))
    return 'wrap'
  }
}

/** What is pasted while it still stands in `doc` is a copy, and no comment is about it. */
function uncommented(slice: Slice, doc: Node): Slice {
  const there = new Set<unknown>()
  const isOwn = (mark: Mark): boolean => mark.attrs['written'] === false
  doc.descendants((node) => node.marks.filter(isOwn).forEach((mark) => { there.add(mark.attrs['of']) }))
  const copy = (content: Fragment): Fragment => {
    const nodes: Node[] = []
    content.forEach((node) => nodes.push(node.isText ? node.mark(node.marks.filter((mark) => !isOwn(mark) || !there.has(mark.attrs['of']))) : node.copy(copy(node.content))))
    return Fragment.fromArray(nodes)
  }
  return new Slice(copy(slice.content), slice.openStart, slice.openEnd)
}

/** Marks what `tr` has put in between two characters of a comment as written within it. */
function within(tr: Transaction): Transaction {
  let [start, end] = [Infinity, 0]
  tr.mapping.maps.forEach((map, step) => map.forEach((_, __, from, to) => {
    const rest = tr.mapping.slice(step + 1)
    start = Math.min(start, rest.map(from, -1))
    end = Math.max(end, rest.map(to, 1))
  }))
  if (start >= end) return tr
  const after = tr.doc.resolve(end).nodeAfter?.marks ?? []
  for (const mark of tr.doc.resolve(start).nodeBefore?.marks ?? []) {
    if (!after.some(({ type }) => type === mark.type)) continue
    tr.doc.nodesBetween(start, end, (node, pos) => {
      if (!node.isText || node.marks.some(({ type }) => type === mark.type)) return
      tr.addMark(Math.max(pos, start), Math.min(pos + node.nodeSize, end), mark.type.create({ of: mark.attrs['of'], written: true }))
    })
  }
  return tr
}
