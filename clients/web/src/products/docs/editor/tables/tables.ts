// Tables: selecting cells, keys, column widths, and shapes kept whole after what is done here.
import { Extension } from '@tiptap/core'
import type { Node } from '@tiptap/pm/model'
import type { Command, Plugin } from '@tiptap/pm/state'
import { CellSelection, columnResizing, fixTables, tableEditing, TableView } from '@tiptap/pm/tables'
import type { Surface } from '../binding/binding'
import { isLocalChange } from '../content/changes'

const LEAST_WIDTH = 48

/** A table that scrolls sideways by itself when it is wider than the page. */
class ScrolledTable extends TableView {
  constructor(node: Node) {
    super(node, LEAST_WIDTH)
    this.dom.classList.add('table-scroll')
    name(this.table, node)
  }

  override update(node: Node): boolean {
    const isSame = super.update(node)
    if (isSame) name(this.table, node)
    return isSame
  }
}

/**
 * How a table is drawn. Given to the editor by the node, not by the plugin for column widths: plugins come
 * after the first drawing, and one that brings a view of its own has the whole document drawn again.
 */
export const tableView = ({ node }: { node: Node }) => new ScrolledTable(node)

function name(table: HTMLElement, node: Node): void {
  const id: unknown = node.attrs['id']
  if (typeof id === 'string') table.dataset['id'] = id
}

/** Selecting cells; a shape that others broke is mended with the next change here, not by everybody at once. */
export function cellEditing(): Plugin {
  const editing = tableEditing()
  const mend = editing.spec.appendTransaction
  editing.spec.appendTransaction = function (transactions, before, state) {
    if (mend === undefined || (transactions.some((tr) => tr.docChanged) && !isLocalChange(transactions))) return null
    return mend.call(this, transactions, before, state)
  }
  return editing
}

/**
 * Runs a command of prosemirror-tables on whole tables. Concurrent edits may leave holes in one, in
 * which the commands build nonsense.
 */
export function onTables(command: Command, surface: Surface): boolean {
  const mending = fixTables(surface.state)
  if (mending !== undefined) surface.dispatch(mending)
  return command(surface.state, (tr) => surface.dispatch(tr))
}

export const Tables = Extension.create({
  name: 'tables',
  addProseMirrorPlugins() {
    return [columnResizing({ View: null, defaultCellMinWidth: LEAST_WIDTH, cellMinWidth: LEAST_WIDTH }), cellEditing()]
  },
  addKeyboardShortcuts() {
    const clear = () => {
      const { selection } = this.editor.state
      return selection instanceof CellSelection && selection.isRowSelection() && selection.isColSelection()
        ? this.editor.commands.deleteNode('table')
        : false
    }
    return { Backspace: clear, Delete: clear, 'Mod-Backspace': clear }
  },
})
