// The keys of the editor that are not a mark's.
import { Extension, type Editor } from '@tiptap/core'
import { Plugin, PluginKey } from '@tiptap/pm/state'
import { addRowAfter, goToNextCell } from '@tiptap/pm/tables'
import { onTables } from '../tables/tables'
import type { EditorCommands } from '../types'

export interface KeyHooks {
  commands: EditorCommands
  help(): void
  comment(): boolean
}

const ITEMS = ['listItem', 'taskItem'] as const

/** Keys of blocks, lists, tables and the editor's own surfaces. */
export function keys(hooks: () => KeyHooks): Extension {
  return Extension.create({
    name: 'keys',
    priority: 200,
    addProseMirrorPlugins() {
      return [
        new Plugin({
          key: new PluginKey('history'),
          props: {
            handleDOMEvents: {
              // Undo and redo of the browser's menus.
              beforeinput(_, event) {
                const command = { historyUndo: 'undo', historyRedo: 'redo' }[(event as InputEvent).inputType] as 'undo' | 'redo' | undefined
                if (command === undefined) return false
                event.preventDefault()
                hooks().commands[command]()
                return true
              },
            },
          },
        }),
      ]
    },
    addKeyboardShortcuts() {
      const { editor } = this
      const run = (command: (commands: EditorCommands) => boolean) => () => command(hooks().commands)
      // The browser has a history of its own, which knows nothing of others.
      const always = (command: (commands: EditorCommands) => boolean) => () => {
        command(hooks().commands)
        return true
      }
      // Tab is the browser's way out of the text; where it means something here, Escape gives it back.
      let isLeaving = false
      const tab = (backwards: boolean) => () => {
        if (isLeaving) {
          isLeaving = false
          return false
        }
        return indent(editor, backwards)
      }
      return {
        'Mod-z': always((commands) => commands.undo()),
        'Mod-y': always((commands) => commands.redo()),
        'Shift-Mod-z': always((commands) => commands.redo()),
        'Mod-Alt-0': run((commands) => commands.paragraph()),
        'Mod-Alt-1': run((commands) => commands.heading(1)),
        'Mod-Alt-2': run((commands) => commands.heading(2)),
        'Mod-Alt-3': run((commands) => commands.heading(3)),
        'Mod-Alt-4': run((commands) => commands.heading(4)),
        'Mod-Alt-5': run((commands) => commands.heading(5)),
        'Mod-Alt-6': run((commands) => commands.heading(6)),
        'Mod-Shift-7': run((commands) => commands.list('orderedList')),
        'Mod-Shift-8': run((commands) => commands.list('bulletList')),
        'Mod-Shift-9': run((commands) => commands.list('taskList')),
        'Mod-Shift-b': run((commands) => commands.quote()),
        'Mod-Alt-c': run((commands) => commands.codeBlock()),
        'Mod-Shift-l': run((commands) => commands.align('left')),
        'Mod-Shift-e': run((commands) => commands.align('center')),
        'Mod-Shift-r': run((commands) => commands.align('right')),
        'Mod-]': run((commands) => commands.indent()),
        'Mod-[': run((commands) => commands.outdent()),
        'Mod-\\': run((commands) => commands.clearMarks()),
        'Mod-k': run((commands) => commands.editLink()),
        'Mod-f': run((commands) => commands.find()),
        'Mod-Alt-f': run((commands) => commands.find(true)),
        'Mod-Alt-m': () => hooks().comment(),
        'Mod-/': () => {
          hooks().help()
          return true
        },
        'Shift-Enter': () => lineBreak(editor),
        'Mod-Enter': () => toggleTask(editor) || leaveCode(editor) || lineBreak(editor),
        Enter: () => leaveList(editor) || ITEMS.some((item) => editor.commands.splitListItem(item)),
        Backspace: () => backspace(editor),
        Tab: tab(false),
        'Shift-Tab': tab(true),
        Escape: () => {
          isLeaving = true
          return false
        },
      }
    },
  })
}

/** Deeper or less deep in a list, the next or previous cell of a table, spaces in code. */
function indent(editor: Editor, backwards: boolean): boolean {
  const { state, view } = editor
  if (state.selection.$from.parent.type.spec.code === true) return indentCode(editor, backwards)
  if (isInItem(editor)) {
    return ITEMS.some((item) => (backwards ? editor.commands.liftListItem(item) : editor.commands.sinkListItem(item))) || true
  }
  if (goToNextCell(backwards ? -1 : 1)(state, view.dispatch)) return true
  // Behind the last cell a new row begins.
  if (!backwards && isInTable(editor)) return onTables(addRowAfter, view) && goToNextCell(1)(view.state, view.dispatch)
  return false
}

function isInTable(editor: Editor): boolean {
  const { $from } = editor.state.selection
  for (let depth = $from.depth; depth > 0; depth -= 1) if ($from.node(depth).type.spec['tableRole'] === 'row') return true
  return false
}

/** The list item right around the text, not one outside of a table in it. */
export function isInItem(editor: Editor): boolean {
  const { $from } = editor.state.selection
  for (let depth = $from.depth; depth > 0; depth -= 1) {
    const { name, spec } = $from.node(depth).type
    if (name === 'listItem' || name === 'taskItem') return true
    if (spec.isolating === true) return false
  }
  return false
}

const STEP = '  '

function indentCode(editor: Editor, backwards: boolean): boolean {
  const { state, view } = editor
  const { $from, $to, from, to } = state.selection
  if (!$from.sameParent($to)) return false
  const start = $from.start()
  const text = $from.parent.textContent
  const first = text.lastIndexOf('\n', from - start - 1) + 1
  const { tr } = state
  if (!backwards && from === to) {
    view.dispatch(tr.insertText(STEP))
    return true
  }
  const lines: number[] = [first]
  for (let at = text.indexOf('\n', first); at >= 0 && at < to - start; at = text.indexOf('\n', at + 1)) lines.push(at + 1)
  for (const line of lines.reverse()) {
    if (!backwards) tr.insertText(STEP, start + line)
    else {
      const spaces = /^ {1,2}|^\t/.exec(text.slice(line))?.[0].length ?? 0
      if (spaces > 0) tr.delete(start + line, start + line + spaces)
    }
  }
  if (tr.docChanged) view.dispatch(tr)
  return true
}

function lineBreak(editor: Editor): boolean {
  const { state, view } = editor
  if (state.selection.$from.parent.type.spec.code === true) {
    view.dispatch(state.tr.insertText('\n').scrollIntoView())
    return true
  }
  if (!state.selection.$from.parent.inlineContent) return false
  const marks = state.storedMarks ?? state.selection.$from.marks()
  const tr = state.tr.replaceSelectionWith(state.schema.nodes['hardBreak']!.create(), false)
  view.dispatch(tr.ensureMarks(marks).scrollIntoView())
  return true
}

/** Enter in an empty item goes out of the list, one level at a time. */
function leaveList(editor: Editor): boolean {
  const { selection } = editor.state
  const { $from } = selection
  if (!selection.empty || $from.parent.content.size > 0 || $from.depth < 2) return false
  const item = $from.node(-1)
  return (item.type.name === 'listItem' || item.type.name === 'taskItem') && item.childCount === 1 && editor.commands.liftListItem(item.type.name)
}

function leaveCode(editor: Editor): boolean {
  return editor.state.selection.$from.parent.type.spec.code === true && editor.commands.exitCode()
}

function toggleTask(editor: Editor): boolean {
  const { $from } = editor.state.selection
  for (let depth = $from.depth; depth > 0; depth -= 1) {
    const node = $from.node(depth)
    if (node.type.name !== 'taskItem') continue
    editor.view.dispatch(editor.state.tr.setNodeAttribute($from.before(depth), 'checked', node.attrs['checked'] !== true))
    return true
  }
  return false
}

/** At the start of a list item out of the list, at the start of a heading or of code back to plain text. */
function backspace(editor: Editor): boolean {
  const { selection } = editor.state
  const { $from } = selection
  if (!selection.empty || $from.parentOffset > 0) return false
  if (editor.commands.undoInputRule()) return true
  const item = $from.depth > 1 ? $from.node(-1).type.name : ''
  if ((item === 'listItem' || item === 'taskItem') && $from.index(-1) === 0) return editor.commands.liftListItem(item)
  const { name } = $from.parent.type
  if (name === 'heading' || name === 'codeBlock') return editor.commands.setNode('paragraph')
  return false
}
