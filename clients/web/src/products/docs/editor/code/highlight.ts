// Colours in code blocks. The grammars come when the first block with a language is seen.
import { Plugin, PluginKey } from '@tiptap/pm/state'
import type { Node } from '@tiptap/pm/model'
import { Decoration, DecorationSet, type EditorView } from '@tiptap/pm/view'
import { settleCaret } from '../content/caret'
import { changedRanges } from '../content/changes'
import { grammarOf } from './languages'

/** Longer blocks stay plain: colouring them would be felt with every letter. */
const LONGEST = 50_000

type Lowlight = ReturnType<typeof import('lowlight')['createLowlight']>

interface Highlighted {
  type: string
  value?: string
  properties?: { className?: string[] }
  children?: Highlighted[]
}

interface Piece {
  from: number
  to: number
  name: string
}

const highlightKey = new PluginKey<DecorationSet>('highlight-code')

export function highlight(): Plugin<DecorationSet> {
  let lowlight: Lowlight | null = null
  let isLoading = false
  const coloured = new WeakMap<Node, readonly Piece[]>()

  const piecesOf = (node: Node): readonly Piece[] => {
    const grammar = grammarOf(String(node.attrs['language'] ?? ''))
    if (lowlight === null || grammar === null || node.content.size > LONGEST) return []
    let pieces = coloured.get(node)
    if (pieces === undefined) {
      pieces = flatten(lowlight.highlight(grammar, node.textContent) as Highlighted)
      coloured.set(node, pieces)
    }
    return pieces
  }

  const draw = (node: Node, pos: number): Decoration[] =>
    piecesOf(node).map(({ from, to, name }) => Decoration.inline(pos + 1 + from, pos + 1 + to, { class: name }))

  const load = async (view: EditorView) => {
    isLoading = true
    const { createLowlight, common } = await import('lowlight')
    lowlight = createLowlight(common)
    if (view.isDestroyed) return
    settleCaret(view)
    view.dispatch(view.state.tr.setMeta(highlightKey, true).setMeta('addToHistory', false))
  }

  return new Plugin<DecorationSet>({
    key: highlightKey,
    state: {
      init: () => DecorationSet.empty,
      apply(tr, before, _, state) {
        if (tr.getMeta(highlightKey) === true) return DecorationSet.create(state.doc, blocksIn(state.doc, 0, state.doc.content.size).flatMap(([node, pos]) => draw(node, pos)))
        if (!tr.docChanged) return before
        let set = before.map(tr.mapping, tr.doc)
        if (lowlight === null) return set
        const fresh = new Map<number, Node>()
        for (const { from, to } of changedRanges([tr])) for (const [node, pos] of blocksIn(state.doc, from, to)) fresh.set(pos, node)
        for (const [pos, node] of fresh) {
          set = set.remove(set.find(pos, pos + node.nodeSize)).add(state.doc, draw(node, pos))
        }
        return set
      },
    },
    props: { decorations: (state) => highlightKey.getState(state) },
    view: (view) => {
      const look = (from: number, to: number) => {
        if (isLoading) return
        const { doc } = view.state
        if (blocksIn(doc, from, to).some(([node]) => grammarOf(String(node.attrs['language'] ?? '')) !== null)) void load(view)
      }
      look(0, view.state.doc.content.size)
      return {
        update: (_, before) => {
          if (isLoading || before.doc === view.state.doc) return
          const start = before.doc.content.findDiffStart(view.state.doc.content)
          const end = before.doc.content.findDiffEnd(view.state.doc.content)
          if (start !== null && end !== null) look(Math.min(start, end.b), Math.max(start, end.b))
        },
      }
    },
  })
}

function blocksIn(doc: Node, from: number, to: number): [Node, number][] {
  const blocks: [Node, number][] = []
  doc.nodesBetween(Math.max(0, from), Math.min(to + 1, doc.content.size), (node, pos) => {
    if (node.type.name === 'codeBlock') blocks.push([node, pos])
    return !node.isTextblock
  })
  return blocks
}

function flatten(root: Highlighted): Piece[] {
  const pieces: Piece[] = []
  let at = 0
  const walk = (node: Highlighted, names: string) => {
    if (node.type === 'text') {
      const to = at + (node.value?.length ?? 0)
      if (names !== '') pieces.push({ from: at, to, name: names })
      at = to
      return
    }
    const own = node.properties?.className?.join(' ') ?? ''
    for (const child of node.children ?? []) walk(child, own === '' ? names : `${names} ${own}`.trim())
  }
  walk(root, '')
  return pieces
}
