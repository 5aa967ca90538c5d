// The editor: CodeMirror on a shared text, with the others' cursors.
import { defaultKeymap } from '@codemirror/commands'
import { Compartment, EditorState } from '@codemirror/state'
import { EditorView, keymap, placeholder } from '@codemirror/view'
import { yCollab, yUndoManagerKeymap } from 'y-codemirror.next'
import * as Y from 'yjs'
import type { OpenRoom } from './room'
import { say } from './words'

export interface Editor {
  readonly view: EditorView
  /** Forbids or allows typing. */
  setViewOnly(viewOnly: boolean): void
  /** Says the editor's own words again, after a change of language. */
  translate(): void
  close(): void
}

/** An editor for `room`'s text inside `parent`. Tab leaves it, as on any page. */
export function openEditor(parent: HTMLElement, room: OpenRoom): Editor {
  const words = new Compartment()
  const access = new Compartment()
  const undoManager = new Y.UndoManager(room.text)
  const spoken = () => [
    placeholder(say('empty')),
    EditorView.contentAttributes.of({ 'aria-label': say('editor'), spellcheck: 'true', autocapitalize: 'sentences' }),
  ]
  const view = new EditorView({
    parent,
    state: EditorState.create({
      doc: room.text.toString(),
      extensions: [
        keymap.of([...yUndoManagerKeymap, ...defaultKeymap]),
        EditorView.lineWrapping,
        words.of(spoken()),
        access.of([]),
        yCollab(room.text, room.provider.awareness, { undoManager }),
      ],
    }),
  })
  return {
    view,
    setViewOnly(viewOnly) {
      const extension = viewOnly ? [EditorState.readOnly.of(true), EditorView.editable.of(false)] : []
      view.dispatch({ effects: access.reconfigure(extension) })
    },
    translate() {
      view.dispatch({ effects: words.reconfigure(spoken()) })
    },
    close() {
      view.destroy()
      undoManager.destroy()
    },
  }
}
