// Blocks that two people move, write in, and take back: none is there twice afterwards.
//
// `MOVE_RUNS=2000` is the long form. People see each other's moves before they move a block themselves:
// a block that both move at the same moment is there twice, because a move is a deletion and an insertion.
import { prosemirrorToYXmlFragment } from '@tiptap/y-tiptap'
import { expect, test } from 'vitest'
import * as Y from 'yjs'
import { filling } from '../content/fill'
import { blockIds } from '../content/ids'
import { contentSchema, Headless } from './headless'

declare const process: { env: Record<string, string | undefined> }

const RUNS = Number(process.env['MOVE_RUNS'] ?? 150)
const WORDS = ['one', 'two', 'three']
const schema = contentSchema()

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

function two(): { a: Headless; b: Headless; meet: () => void } {
  const [first, second] = [new Y.Doc(), new Y.Doc()]
  first.clientID = 1
  second.clientID = 2
  const blocks = WORDS.map((word) => schema.node('paragraph', { id: word }, schema.text(word)))
  prosemirrorToYXmlFragment(schema.topNodeType.create(null, blocks), first.getXmlFragment('default'))
  Y.applyUpdate(second, Y.encodeStateAsUpdate(first))
  const meet = () => {
    Y.applyUpdate(second, Y.encodeStateAsUpdate(first, Y.encodeStateVector(second)))
    Y.applyUpdate(first, Y.encodeStateAsUpdate(second, Y.encodeStateVector(first)))
  }
  return { a: new Headless(first, schema, [filling(), blockIds()]), b: new Headless(second, schema, [filling(), blockIds()]), meet }
}

/** Each is a step of undo of its own. */
function move(editor: Headless, from: number, to: number): void {
  const node = editor.text.child(from)
  const { tr } = editor.state
  const place = (index: number) => tr.doc.content.content.slice(0, index).reduce((sum, { nodeSize }) => sum + nodeSize, 0)
  const start = place(from)
  tr.delete(start, start + node.nodeSize)
  tr.insert(place(to), node)
  editor.binding.separate()
  editor.dispatch(tr)
}

function write(editor: Headless, index: number, letters: string): void {
  const start = editor.text.content.content.slice(0, index).reduce((sum, { nodeSize }) => sum + nodeSize, 0)
  editor.binding.separate()
  editor.dispatch(editor.state.tr.insertText(letters, start + 1 + editor.text.child(index).content.size))
}

const lines = ({ text }: Headless): string[] => text.content.content.map(({ textContent }) => textContent)

test('undoing a move leaves a block where somebody has moved it since', () => {
  const { a, b, meet } = two()
  move(a, 0, 2)
  meet()
  move(b, 2, 0)
  write(b, 0, '!')
  meet()
  expect(lines(a)).toEqual(['one!', 'two', 'three'])
  a.binding.undo()
  meet()
  expect(lines(a)).toEqual(['one!', 'two', 'three'])
  expect(lines(b)).toEqual(lines(a))
})

test('undoing a move that somebody wrote in brings the words back once, and keeps theirs', () => {
  const { a, b, meet } = two()
  move(a, 0, 2)
  meet()
  write(b, 2, '!')
  meet()
  a.binding.undo()
  meet()
  expect([...lines(a)].sort()).toEqual(['!', 'one', 'three', 'two'])
})

test('a block that somebody has shortened since is not lost for the words that it had', () => {
  const { a, b, meet } = two()
  move(a, 0, 2)
  meet()
  move(b, 2, 0)
  b.dispatch(b.state.tr.delete(1, 2))
  meet()
  expect(lines(a)).toEqual(['ne', 'two', 'three'])
  a.binding.undo()
  meet()
  expect([...lines(a)].sort()).toEqual(['ne', 'one', 'three', 'two'])
})

test(`however moves, letters, undo and redo are mixed, no block is there twice (${RUNS} runs)`, () => {
  for (let seed = 0; seed < RUNS; seed += 1) {
    const random = chance(seed)
    const upTo = (most: number) => Math.floor(random() * most)
    const { a, b, meet } = two()
    const moved = (editor: Headless) => {
      meet()
      move(editor, upTo(editor.text.childCount), upTo(editor.text.childCount))
      meet()
    }
    for (let step = 0; step < 18; step += 1) {
      const what = random()
      if (what < 0.25) moved(a)
      else if (what < 0.4) a.binding.undo()
      else if (what < 0.5) a.binding.redo()
      else if (what < 0.6) moved(b)
      else if (what < 0.65) b.binding.undo()
      else if (what < 0.75) write(b, upTo(b.text.childCount), '.')
      else meet()
    }
    meet()
    expect(lines(b), `seed ${seed}`).toEqual(lines(a))
    for (const word of WORDS) expect(lines(a).join(' ').split(word).length - 1, `"${word}" of seed ${seed}: ${lines(a).join(' ')}`).toBeLessThanOrEqual(1)
  }
})
