// What a toolbar shows of the editor.
import { getMarkRange, type Editor } from '@tiptap/core'
import type { Binding } from './binding/binding'
import type { BlockName, EditorState, MarkName } from './types'

const MARKS: readonly MarkName[] = ['bold', 'italic', 'underline', 'strike', 'code', 'subscript', 'superscript', 'highlight', 'link']
const LISTS = ['bulletList', 'orderedList', 'taskList'] as const

export const EMPTY_STATE: EditorState = Object.freeze({
  editable: false,
  focused: false,
  empty: true,
  selected: false,
  block: 'paragraph',
  list: null,
  quote: false,
  table: false,
  marks: new Set<MarkName>(),
  align: null,
  link: null,
  highlight: null,
  canUndo: false,
  canRedo: false,
})

export function readState(editor: Editor, binding: Binding): EditorState {
  const { state } = editor
  const { selection, doc } = state
  const { $from, $to } = selection
  let list: EditorState['list'] = null
  let quote = false
  let table = false
  for (let depth = $from.depth; depth > 0; depth -= 1) {
    const { name } = $from.node(depth).type
    if (list === null && !table && (LISTS as readonly string[]).includes(name)) list = name as (typeof LISTS)[number]
    if (name === 'blockquote') quote = true
    if (name === 'table') table = true
  }
  const marks = new Set(MARKS.filter((name) => isMarked(editor, name)))
  return Object.freeze({
    editable: binding.editable && !binding.halted,
    focused: editor.isFocused,
    empty: isEmpty(doc),
    selected: !selection.empty,
    block: blockOf(editor),
    list,
    quote,
    table,
    marks,
    align: $from.sameParent($to) || selection.empty ? sideOf($from.parent.attrs['textAlign']) : null,
    link: marks.has('link') ? attributeAt(editor, 'link', 'href') : null,
    highlight: marks.has('highlight') ? (attributeAt(editor, 'highlight', 'color') ?? 'yellow') : null,
    canUndo: binding.editable && binding.undoManager.undoStack.length > 0,
    canRedo: binding.editable && binding.undoManager.redoStack.length > 0,
  })
}

/** Whether two states look the same, so that nobody is told twice. */
export function isSameState(one: EditorState, other: EditorState): boolean {
  return (Object.keys(one) as (keyof EditorState)[]).every((key) => {
    if (key !== 'marks') return one[key] === other[key]
    return one.marks.size === other.marks.size && [...one.marks].every((mark) => other.marks.has(mark))
  })
}

function isEmpty(doc: Editor['state']['doc']): boolean {
  if (doc.childCount > 1) return false
  const first = doc.firstChild
  return first === null || (first.isTextblock && first.type.name === 'paragraph' && first.content.size === 0)
}

/** A selection has a mark when all its text has; long ones are judged by their beginning. */
function isMarked({ state }: Editor, name: MarkName): boolean {
  const { selection, storedMarks, doc } = state
  const type = state.schema.marks[name]
  if (type === undefined) return false
  if (selection.empty) return type.isInSet(storedMarks ?? selection.$from.marks()) !== undefined
  let some = false
  let all = true
  doc.nodesBetween(selection.from, Math.min(selection.to, selection.from + 5000), (node) => {
    if (!all) return false
    if (node.isText) {
      some = true
      if (type.isInSet(node.marks) === undefined) all = false
    }
    return true
  })
  return some && all
}

function attributeAt({ state }: Editor, name: MarkName, key: string): string | null {
  const { $from, from } = state.selection
  const type = state.schema.marks[name]
  if (type === undefined) return null
  const range = getMarkRange($from, type) ?? getMarkRange(state.doc.resolve(Math.min(from + 1, state.doc.content.size)), type)
  if (range === undefined) return null
  const mark = type.isInSet(state.doc.resolve(range.from).nodeAfter?.marks ?? [])
  const value: unknown = mark?.attrs[key]
  return typeof value === 'string' ? value : null
}

function sideOf(side: unknown): EditorState['align'] {
  return side === 'center' || side === 'right' || side === 'justify' ? side : 'left'
}

function blockOf({ state }: Editor): BlockName {
  const { $from, $to, from, to } = state.selection
  if (!$from.sameParent($to)) {
    let name: string | null = null
    let isMixed = false
    state.doc.nodesBetween(from, Math.min(to, from + 5000), (node) => {
      if (!node.isTextblock) return !isMixed
      const here = nameOf(node)
      if (name === null) name = here
      else if (name !== here) isMixed = true
      return false
    })
    return isMixed || name === null ? 'mixed' : name
  }
  const leaf = $from.nodeAfter
  return nameOf(!$from.parent.isTextblock && leaf !== null ? leaf : $from.parent)
}

function nameOf(node: Editor['state']['doc']): BlockName {
  const { name } = node.type
  if (name === 'heading') return `heading${String(node.attrs['level'])}` as BlockName
  return (['codeBlock', 'image', 'horizontalRule', 'table'] as const).find((other) => other === name) ?? 'paragraph'
}
