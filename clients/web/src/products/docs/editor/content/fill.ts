// Containers may be empty in the shared content; on the screen there must be a line to type into.
import type { Node } from '@tiptap/pm/model'
import { Plugin, PluginKey, Selection, TextSelection, type EditorState, type Transaction } from '@tiptap/pm/state'
import { changedRanges, isLocalChange } from './changes'

const FILLED: ReadonlySet<string> = new Set(['doc', 'blockquote', 'listItem', 'taskItem', 'tableCell', 'tableHeader'])
const DROPPED: ReadonlySet<string> = new Set(['bulletList', 'orderedList', 'taskList', 'table'])

/**
 * Puts a paragraph into containers that the person emptied or enters, and takes away lists and
 * tables they left without items. Others' changes are never answered with a change.
 */
export function filling(): Plugin {
  return new Plugin({
    key: new PluginKey('filling'),
    appendTransaction: (transactions, _, state) => (isLocalChange(transactions) ? fill(transactions, state) : null),
    props: {
      handleDOMEvents: {
        focus: (view) => {
          if (view.editable && view.state.doc.childCount === 0) fillAt(view.state, 0, (tr) => view.dispatch(tr))
          return false
        },
      },
      handleClick: (view, pos, event) => {
        if (!view.editable) return false
        const place = view.state.doc.resolve(pos)
        for (let depth = place.depth; depth >= 0; depth -= 1) {
          const node = place.node(depth)
          if (node.childCount > 0 || !FILLED.has(node.type.name)) continue
          return fillAt(view.state, depth === 0 ? 0 : place.start(depth), (tr) => view.dispatch(tr))
        }
        return isBelow(view.dom, event) && writeBelow(view.state, (tr) => view.dispatch(tr))
      },
    },
  })
}

function fill(transactions: readonly Transaction[], state: EditorState): Transaction | null {
  const { doc, tr } = state
  const empty = new Map<number, Node>()
  const note = (node: Node, inside: number) => {
    if (node.childCount === 0 && (FILLED.has(node.type.name) || DROPPED.has(node.type.name))) empty.set(inside, node)
  }
  if (doc.childCount === 0) note(doc, 0)
  for (const { from, to } of changedRanges(transactions)) {
    const end = Math.min(to + 1, doc.content.size)
    doc.nodesBetween(Math.max(0, from - 1), end, (node, pos) => {
      note(node, pos + 1)
      return !node.isTextblock
    })
  }
  const places = [...empty].sort(([one], [other]) => other - one)
  for (const [inside, node] of places) {
    if (DROPPED.has(node.type.name)) tr.delete(inside - 1, inside + 1)
    else tr.insert(inside, state.schema.nodes['paragraph']!.create())
  }
  if (!tr.docChanged) return null
  if (tr.doc.childCount === 0) tr.insert(0, state.schema.nodes['paragraph']!.create())
  const { $from } = tr.selection
  if (!$from.parent.isTextblock && tr.selection.empty) tr.setSelection(Selection.near($from, 1))
  return tr
}

function fillAt(state: EditorState, inside: number, dispatch: (tr: Transaction) => void): boolean {
  const { tr, schema } = state
  tr.insert(inside, schema.nodes['paragraph']!.create())
  dispatch(tr.setSelection(TextSelection.create(tr.doc, inside + 1)))
  return true
}

function isBelow(dom: HTMLElement, event: MouseEvent): boolean {
  const last = dom.lastElementChild
  return event.target === dom && last !== null && event.clientY > last.getBoundingClientRect().bottom
}

/** After a table, image or code at the end there is no line to click into. */
function writeBelow(state: EditorState, dispatch: (tr: Transaction) => void): boolean {
  const { doc } = state
  const last = doc.lastChild
  if (last === null || last.type.name === 'paragraph' || last.type.name === 'heading') return false
  return fillAt(state, doc.content.size, dispatch)
}
