// What buttons, keys and menus do.
import type { Editor } from '@tiptap/core'
import type { Command } from '@tiptap/pm/state'
import * as tables from '@tiptap/pm/tables'
import type { Binding } from './binding/binding'
import { isInItem } from './content/keys'
import { safeLink } from './schema/links'
import { onTables } from './tables/tables'
import type { EditorCommands, TableStep } from './types'

export interface CommandHooks {
  /** Null while the editor shows something foreign: then every command says no. */
  bound(): { editor: Editor; binding: Binding } | null
  editLink(): boolean
  find(replace: boolean): boolean
  insertImages(files?: readonly File[]): boolean
  unsafeLink(): void
}

const ITEM = { bulletList: 'listItem', orderedList: 'listItem', taskList: 'taskItem' } as const

const TABLE_STEPS: Record<TableStep, Command> = {
  rowBefore: tables.addRowBefore,
  rowAfter: tables.addRowAfter,
  columnBefore: tables.addColumnBefore,
  columnAfter: tables.addColumnAfter,
  deleteRow: tables.deleteRow,
  deleteColumn: tables.deleteColumn,
  merge: tables.mergeCells,
  split: tables.splitCell,
  headerRow: tables.toggleHeader('row'),
  headerColumn: tables.toggleHeader('column'),
  delete: tables.deleteTable,
}

export function createCommands(hooks: CommandHooks): EditorCommands {
  const change = (what: (editor: Editor, binding: Binding) => boolean): boolean => {
    const bound = hooks.bound()
    return bound !== null && bound.binding.editable && !bound.binding.halted && what(bound.editor, bound.binding)
  }
  const chain = (what: (chain: ReturnType<Editor['chain']>, editor: Editor) => { run(): boolean }): boolean =>
    change((editor) => {
      // At once: Tiptap's own `focus()` waits for a frame, and what is typed in it would be lost.
      editor.view.focus()
      return what(editor.chain(), editor).run()
    })

  return {
    undo: () => change((_, binding) => binding.undo()),
    redo: () => change((_, binding) => binding.redo()),
    toggle: (mark) => chain((steps) => steps.toggleMark(mark)),
    highlight: (color) => chain((steps) => (color === null ? steps.unsetMark('highlight') : steps.setMark('highlight', { color }))),
    clearMarks: () => chain((steps) => steps.unsetAllMarks()),
    paragraph: () => chain((steps) => steps.setNode('paragraph')),
    heading: (level) => chain((steps) => steps.toggleNode('heading', 'paragraph', { level })),
    list: (kind) => chain((steps) => steps.toggleList(kind, ITEM[kind])),
    indent: () => change((editor) => isInItem(editor) && (editor.commands.sinkListItem('listItem') || editor.commands.sinkListItem('taskItem'))),
    outdent: () => change((editor) => isInItem(editor) && (editor.commands.liftListItem('listItem') || editor.commands.liftListItem('taskItem'))),
    quote: () => chain((steps) => steps.toggleWrap('blockquote')),
    codeBlock: () => chain((steps) => steps.toggleNode('codeBlock', 'paragraph')),
    rule: () => change((editor) => insertBlock(editor, 'horizontalRule')),
    align: (side) =>
      chain((steps) => {
        const textAlign = side === 'left' ? null : side
        return steps.updateAttributes('paragraph', { textAlign }).updateAttributes('heading', { textAlign })
      }),
    editLink: () => change(() => hooks.editLink()),
    link(href) {
      if (href === null) return chain((steps) => steps.extendMarkRange('link').unsetMark('link'))
      const address = safeLink(href)
      if (address === null) {
        hooks.unsafeLink()
        return false
      }
      return change((editor) => link(editor, address))
    },
    insertTable: (rows = 3, columns = 3) => change((editor) => insertTable(editor, rows, columns)),
    table: (step) => change((editor) => onTables(TABLE_STEPS[step], editor.view) && (editor.view.focus(), true)),
    insertImages: (files) => change(() => hooks.insertImages(files)),
    mention: () => chain((steps, editor) => steps.insertContent(needsSpace(editor) ? ' @' : '@')),
    find: (replace = false) => hooks.bound() !== null && hooks.find(replace),
  }
}

/** Links the selection, the link around the cursor, or the address itself. */
function link(editor: Editor, href: string): boolean {
  const { empty } = editor.state.selection
  if (!empty || editor.isActive('link')) {
    editor.view.focus()
    return editor.chain().extendMarkRange('link').setMark('link', { href }).run()
  }
  const { tr, schema } = editor.state
  const text = schema.text(href.replace(/^mailto:/, ''), [schema.marks['link']!.create({ href })])
  editor.view.dispatch(tr.replaceSelectionWith(text, false).scrollIntoView())
  editor.view.focus()
  return true
}

function needsSpace(editor: Editor): boolean {
  const { $from } = editor.state.selection
  return /\S$/.test($from.parent.textBetween(Math.max(0, $from.parentOffset - 1), $from.parentOffset, undefined, ' '))
}

/** Puts a block after the one with the cursor, or in its place if that is empty, and a line to go on after it. */
export function insertBlock(editor: Editor, name: string, attrs: Record<string, unknown> | null = null): boolean {
  const { state, view } = editor
  const { schema, tr } = state
  const node = schema.nodes[name]!.create(attrs)
  const { $to } = state.selection
  if ($to.depth === 0) tr.insert($to.pos, node)
  else if ($to.parent.isTextblock && $to.parent.content.size === 0 && $to.depth > 0) tr.insert($to.before(), node)
  else tr.insert($to.after(), node)
  view.dispatch(tr.scrollIntoView())
  view.focus()
  return true
}

function insertTable(editor: Editor, rows: number, columns: number): boolean {
  const { state, view } = editor
  const { schema, tr } = state
  const { table, tableRow, tableCell, tableHeader, paragraph } = schema.nodes
  const cells = (type: typeof tableCell) => Array.from({ length: columns }, () => type!.create(null, paragraph!.create()))
  const lines = Array.from({ length: rows }, (_, row) => tableRow!.create(null, cells(row === 0 ? tableHeader : tableCell)))
  const node = table!.create(null, lines)
  const { $from } = state.selection
  const isEmptyLine = $from.parent.isTextblock && $from.parent.content.size === 0 && $from.depth > 0
  const pos = $from.depth === 0 ? $from.pos : isEmptyLine ? $from.before() : $from.after()
  tr.insert(pos, node)
  view.dispatch(tr)
  editor.commands.setTextSelection(pos + 4)
  view.focus()
  return true
}
