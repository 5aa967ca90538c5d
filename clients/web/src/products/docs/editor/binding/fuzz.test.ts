// Random editing by several people with several versions: nothing vanishes that nobody deleted.
//
// `FUZZ_RUNS=2000` is the long form; `FUZZ_SEED=17` runs one seed again.
import { Extension, Mark, Node as NodeExtension } from '@tiptap/core'
import { lift, setBlockType, toggleMark, wrapIn } from '@tiptap/pm/commands'
import type { Node, Schema } from '@tiptap/pm/model'
import { liftListItem, sinkListItem, splitListItem, wrapInList } from '@tiptap/pm/schema-list'
import { AllSelection, TextSelection, type Command } from '@tiptap/pm/state'
import { addColumnAfter, addRowAfter, deleteColumn, deleteRow, deleteTable, mergeCells, splitCell } from '@tiptap/pm/tables'
import { canJoin, canSplit } from '@tiptap/pm/transform'
import { expect, test } from 'vitest'
import * as Y from 'yjs'
import { filling } from '../content/fill'
import { blockIds, hasId } from '../content/ids'
import { repairIds } from '../content/repair'
import { cellEditing, onTables } from '../tables/tables'
import { contentSchema, Headless } from './headless'
import { readDocument, type Shared } from './read'

declare const process: { env: Record<string, string | undefined> }

const RUNS = Number(process.env['FUZZ_RUNS'] ?? 40)
const ONLY = process.env['FUZZ_SEED'] === undefined ? null : Number(process.env['FUZZ_SEED'])
const STEPS = 60

const old = contentSchema()
/** What a newer version might bring: a block, a mark, an attribute of a block there was already. */
const newer = contentSchema([
  NodeExtension.create({ name: 'callout', group: 'block', content: 'block*', addAttributes: () => ({ id: { default: null } }) }),
  Mark.create({ name: 'glow' }),
  Extension.create({ name: 'tone', addGlobalAttributes: () => [{ types: ['paragraph'], attributes: { tone: { default: null } } }] }),
])

/** Small, fast and the same everywhere (mulberry32). */
function chance(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296
  }
}

const plugins = () => [filling(), blockIds(), cellEditing()]

interface Person {
  editor: Headless
  schema: Schema
  /** Updates written here while nobody did anything here: must stay none. */
  unasked: number
}

/** A letter of the shared document by its id, with the block it stands in. */
type Letters = Map<string, Y.ID>

class World {
  readonly people: Person[]
  /** Every letter there ever was, and those that somebody took off their own screen. */
  readonly letters: Letters = new Map()
  readonly deleted = new Set<string>()
  readonly random: () => number
  #made = 0
  #acting = false

  constructor(seed: number, schemas: readonly Schema[]) {
    this.random = chance(seed)
    const origin = new Y.Doc()
    origin.clientID = 1
    const paragraph = new Y.XmlElement('paragraph')
    paragraph.setAttribute('id', 'first')
    origin.getXmlFragment('default').insert(0, [paragraph])
    const start = Y.encodeStateAsUpdate(origin)
    this.people = schemas.map((schema, index) => {
      const doc = new Y.Doc()
      doc.clientID = 10 + index
      Y.applyUpdate(doc, start)
      const person: Person = { editor: new Headless(doc, schema, plugins()), schema, unasked: 0 }
      doc.on('update', (_: Uint8Array, from: unknown) => {
        // Yjs itself tidies marks that say nothing after others' changes; its transactions have no origin.
        if (from === person.editor.binding && !this.#acting) person.unasked += 1
      })
      return person
    })
  }

  pick<T>(from: readonly T[]): T {
    return from[Math.floor(this.random() * from.length)]!
  }

  upTo(most: number): number {
    return Math.floor(this.random() * (most + 1))
  }

  /** One person does one thing. */
  act(person: Person, actions: readonly Action[]): void {
    const { editor } = person
    if (editor.binding.halted) return
    this.#made += 1
    // One letter, so that nobody can write into it.
    const token = String.fromCharCode(0xe000 + this.#made)
    const before = familiesOf(editor)
    const had = lettersOf(editor.binding.fragment)
    this.#acting = true
    const action = this.pick(actions)
    action(editor, this, token)
    this.#acting = false
    verify(person)
    // What stayed the same on the screen stayed the same shared element.
    const after = familiesOf(editor)
    if (!AGAIN.has(action)) for (const [parent, children] of before) expectSameElements(children, after.get(parent) ?? [])
    const has = lettersOf(editor.binding.fragment)
    for (const [letter, block] of has) this.letters.set(letter, block)
    for (const letter of had.keys()) if (!has.has(letter)) this.deleted.add(letter)
  }

  /** Everything of `from` goes to `to`. */
  send(from: Person, to: Person): void {
    const update = Y.encodeStateAsUpdate(from.editor.doc, Y.encodeStateVector(to.editor.doc))
    Y.applyUpdate(to.editor.doc, update, 'others')
    verify(to)
  }

  meet(): void {
    for (let round = 0; round < 2; round += 1) {
      for (const from of this.people) for (const to of this.people) if (from !== to) this.send(from, to)
    }
  }

  mend(): void {
    this.#acting = true
    for (const { editor } of this.people) repairIds(editor.binding)
    this.#acting = false
    this.meet()
  }
}

/** The screen and the shared document say the same, and nobody wrote without being asked. */
function verify({ editor, schema, unasked }: Person): void {
  expect(unasked).toBe(0)
  if (editor.binding.halted) return
  const stored = readDocument(editor.binding.fragment, schema, new WeakMap())
  if (!withoutMarksOfObjects(stored).eq(withoutMarksOfObjects(editor.text))) {
    expect(editor.text.toJSON()).toEqual(stored.toJSON())
  }
}

/** Marks of mentions and line breaks are not shared. */
function withoutMarksOfObjects(node: Node): Node {
  if (node.isText) return node
  if (node.isInline) return node.mark([])
  const children: Node[] = []
  node.forEach((child) => children.push(withoutMarksOfObjects(child)))
  return node.type.create(node.attrs, children)
}

type Family = readonly { node: Node; element: Y.XmlElement }[]

/** The blocks on the screen with their shared elements, by the element around them. */
function familiesOf({ binding }: Headless): Map<Shared, Family> {
  const families = new Map<Shared, Family>()
  const walk = (shared: Shared) => {
    const family: { node: Node; element: Y.XmlElement }[] = []
    for (const child of shared.toArray()) {
      if (!(child instanceof Y.XmlElement)) continue
      const node = binding.drawn.get(child)
      if (node !== undefined && node.isBlock) family.push({ node, element: child })
      walk(child)
    }
    families.set(shared, family)
  }
  walk(binding.fragment)
  return families
}

/** Blocks that stayed as they were, where they were, and in their order are the same shared elements. */
function expectSameElements(before: Family, after: Family): void {
  const once = (family: Family) => family.filter(({ node }) => family.filter((other) => other.node === node).length === 1)
  const kept = once(before).filter(({ node }) => once(after).some((other) => other.node === node))
  const now = once(after).filter(({ node }) => kept.some((other) => other.node === node))
  if (!kept.every(({ node }, index) => now[index]?.node === node)) return
  kept.forEach(({ element }, index) => expect(now[index]?.element).toBe(element))
}

function lettersOf(shared: Shared, letters: Letters = new Map()): Letters {
  for (const child of shared.toArray()) {
    if (child instanceof Y.XmlElement) lettersOf(child, letters)
    else if (child instanceof Y.XmlText && shared._item !== null) {
      for (let item = child._start; item !== null; item = item.right) {
        if (item.deleted || !(item.content instanceof Y.ContentString)) continue
        for (let at = 0; at < item.length; at += 1) letters.set(`${item.id.client} ${item.id.clock + at}`, shared._item.id)
      }
    }
  }
  return letters
}

type Action = (editor: Headless, world: World, token: string) => void

function textblocks(editor: Headless): { node: Node; pos: number }[] {
  const found: { node: Node; pos: number }[] = []
  editor.text.descendants((node, pos) => {
    if (node.isTextblock) found.push({ node, pos })
    return !node.isTextblock
  })
  return found
}

function place(editor: Headless, world: World): number | null {
  const blocks = textblocks(editor)
  if (blocks.length === 0) return null
  const { node, pos } = world.pick(blocks)
  return pos + 1 + world.upTo(node.content.size)
}

function select(editor: Headless, world: World, wide = false): boolean {
  const from = place(editor, world)
  if (from === null) return false
  const end = editor.text.resolve(from).end()
  const to = wide ? (place(editor, world) ?? from) : Math.min(end, from + world.upTo(8))
  editor.dispatch(editor.state.tr.setSelection(TextSelection.between(editor.text.resolve(from), editor.text.resolve(to))))
  return true
}

const run = (command: (editor: Headless) => Command, wide = false): Action => (editor, world) => {
  if (select(editor, world, wide)) command(editor)(editor.state, (tr) => editor.dispatch(tr))
}

const onTable = (command: Command, wide = false): Action => (editor, world) => {
  if (select(editor, world, wide)) onTables(command, editor)
}

const type = (editor: Headless, name: string) => editor.state.schema.nodes[name]!
const mark = (editor: Headless, name: string) => editor.state.schema.marks[name]!

const write: Action = (editor, world, token) => {
  if (select(editor, world)) editor.dispatch(editor.state.tr.setSelection(TextSelection.create(editor.text, editor.state.selection.from)).insertText(token))
  else editor.dispatch(editor.state.tr.insert(0, type(editor, 'paragraph').create(null, editor.state.schema.text(token))))
}

const table: Action = (editor, world) => {
  const cell = () => type(editor, 'tableCell').create(null, type(editor, 'paragraph').create())
  const rows = Array.from({ length: 2 }, () => type(editor, 'tableRow').create(null, [cell(), cell()]))
  editor.dispatch(editor.state.tr.insert(boundary(editor, world), type(editor, 'table').create(null, rows)))
}

function boundary(editor: Headless, world: World): number {
  let pos = 0
  const stop = world.upTo(editor.text.childCount)
  for (let index = 0; index < stop; index += 1) pos += editor.text.child(index).nodeSize
  return pos
}

const undo: Action = (editor) => void editor.binding.undo()
const redo: Action = (editor) => void editor.binding.redo()
/** A block is cut here and put there, with its id. */
const move: Action = (editor, world) => {
  if (editor.text.childCount < 2) return
  const from = boundary(editor, world)
  const node = editor.text.resolve(from).nodeAfter
  if (node === null) return
  const tr = editor.state.tr.delete(from, from + node.nodeSize)
  let to = 0
  const stop = world.upTo(tr.doc.childCount)
  for (let index = 0; index < stop; index += 1) to += tr.doc.child(index).nodeSize
  editor.dispatch(tr.insert(to, node))
}

/** What is undone, redone or moved is made anew: there is no other way in Yjs. */
const AGAIN: ReadonlySet<Action> = new Set([undo, redo, move])

const EDITS: readonly Action[] = [
  write,
  write,
  write,
  write,
  (editor, world) => {
    if (select(editor, world)) editor.dispatch(editor.state.tr.deleteSelection())
  },
  (editor, world) => {
    if (world.random() < 0.3 && select(editor, world, true)) editor.dispatch(editor.state.tr.deleteSelection())
  },
  (editor, world) => {
    const pos = place(editor, world)
    if (pos !== null && canSplit(editor.text, pos)) editor.dispatch(editor.state.tr.split(pos))
  },
  (editor, world) => {
    const pos = boundary(editor, world)
    const { nodeBefore, nodeAfter } = editor.text.resolve(pos)
    // Anything may be joined onto something empty, says `canJoin`.
    if (nodeBefore !== null && nodeBefore.type === nodeAfter?.type && canJoin(editor.text, pos)) editor.dispatch(editor.state.tr.join(pos))
  },
  run((editor) => setBlockType(type(editor, 'heading'), { level: 2 })),
  run((editor) => setBlockType(type(editor, 'paragraph'))),
  run((editor) => setBlockType(type(editor, 'codeBlock'))),
  run((editor) => toggleMark(mark(editor, 'bold'))),
  run((editor) => toggleMark(mark(editor, 'link'), { href: 'https://example.org' }), true),
  run((editor) => toggleMark(mark(editor, 'highlight'), { color: 'green' }), true),
  run((editor) => wrapIn(type(editor, 'blockquote')), true),
  run((editor) => wrapInList(type(editor, 'bulletList'))),
  run((editor) => wrapInList(type(editor, 'orderedList')), true),
  run((editor) => splitListItem(type(editor, 'listItem'))),
  run((editor) => sinkListItem(type(editor, 'listItem'))),
  run((editor) => liftListItem(type(editor, 'listItem'))),
  run(() => lift),
  table,
  onTable(addRowAfter),
  onTable(addColumnAfter),
  onTable(deleteRow),
  onTable(deleteColumn),
  onTable(mergeCells, true),
  onTable(splitCell),
  (editor, world) => {
    if (world.random() < 0.2) onTable(deleteTable)(editor, world, '')
  },
  (editor, world) => {
    const pos = place(editor, world)
    if (pos === null || editor.text.resolve(pos).parent.type.spec.code === true) return
    const node = world.random() < 0.5 ? type(editor, 'hardBreak').create() : type(editor, 'mention').create({ id: 'u', label: 'Ada' })
    editor.dispatch(editor.state.tr.insert(pos, node))
  },
  move,
  // A block is copied.
  (editor, world) => {
    const from = boundary(editor, world)
    const node = editor.text.resolve(from).nodeAfter
    if (node !== null) editor.dispatch(editor.state.tr.insert(boundary(editor, world), node))
  },
  (editor, world) => {
    if (world.random() < 0.04) editor.dispatch(editor.state.tr.setSelection(new AllSelection(editor.text)).deleteSelection())
  },
  undo,
  undo,
  redo,
  (editor) => editor.binding.separate(),
]

const NEWER: readonly Action[] = [
  ...EDITS,
  (editor, world, token) => {
    const inside = type(editor, 'paragraph').create(null, editor.state.schema.text(token))
    editor.dispatch(editor.state.tr.insert(boundary(editor, world), type(editor, 'callout').create(null, inside)))
  },
  run((editor) => toggleMark(mark(editor, 'glow'))),
  run((editor) => setBlockType(type(editor, 'paragraph'), { tone: 'warm' })),
]

/** Every letter is there, unless somebody deleted it or a block around it. */
function expectKept(world: World): void {
  const { editor } = world.people[0]!
  const there = lettersOf(editor.binding.fragment)
  for (const [letter, block] of world.letters) {
    if (there.has(letter) || world.deleted.has(letter)) continue
    const item = Y.getItem(editor.doc.store, block) as Y.Item | Y.GC
    expect(item instanceof Y.GC || item.deleted, 'a letter vanished from a block that is there').toBe(true)
  }
}

/** Lets the test runner hear that we live; a long run would not otherwise. */
const turn = () => new Promise((resolve) => setTimeout(resolve))

const seeds = ONLY === null ? Array.from({ length: RUNS }, (_, seed) => seed) : [ONLY]

test(`people of one version lose nothing (${seeds.length} runs)`, { timeout: 3_600_000 }, async () => {
  for (const seed of seeds) {
    await turn()
    const world = new World(seed, [old, old, old])
    try {
      for (let step = 0; step < STEPS; step += 1) {
        const person = world.pick(world.people)
        world.act(person, EDITS)
        if (world.random() < 0.25) world.send(world.pick(world.people), person)
      }
      world.meet()
      world.mend()
      const [first, ...others] = world.people
      for (const other of others) expect(other.editor.binding.fragment.toString()).toBe(first!.editor.binding.fragment.toString())
      expectKept(world)
      expect(idsOf(first!.editor.text).size).toBe(countIds(first!.editor.text))
    } catch (error) {
      throw new Error(`FUZZ_SEED=${seed}`, { cause: error })
    }
  }
})

test(`people of an older version lose nothing of a newer one’s (${seeds.length} runs)`, { timeout: 3_600_000 }, async () => {
  for (const seed of seeds) {
    await turn()
    const world = new World(seed + 1_000_000, [newer, newer, old, old])
    try {
      for (let step = 0; step < STEPS; step += 1) {
        const person = world.pick(world.people)
        world.act(person, person.schema === newer ? NEWER : EDITS)
        if (world.random() < 0.35) world.send(world.pick(world.people), person)
      }
      world.meet()
      await Promise.resolve()
      const [first, ...others] = world.people
      for (const other of others) expect(other.editor.binding.fragment.toString()).toBe(first!.editor.binding.fragment.toString())
      expectKept(world)
      const isForeign = /<callout|<glow|tone="/.test(first!.editor.binding.fragment.toString())
      for (const { editor, schema } of world.people) {
        if (schema === old && isForeign) expect(editor.binding.halted).toBe(true)
        if (schema === newer) expect(editor.binding.halted).toBe(false)
      }
    } catch (error) {
      throw new Error(`FUZZ_SEED=${seed}`, { cause: error })
    }
  }
})

function countIds(doc: Node): number {
  let count = 0
  doc.descendants((node) => {
    if (hasId(node) && node.attrs['id'] !== null) count += 1
  })
  return count
}

function idsOf(doc: Node): Set<unknown> {
  const ids = new Set<unknown>()
  doc.descendants((node) => {
    if (hasId(node) && node.attrs['id'] !== null) ids.add(node.attrs['id'])
  })
  return ids
}
