// The editor: CodeMirror on a shared text, with the others' cursors.
import { defaultKeymap } from '@codemirror/commands'
import { Compartment, EditorState } from '@codemirror/state'
import { EditorView, keymap, placeholder } from '@codemirror/view'
import { yCollab, yUndoManagerKeymap } from 'y-codemirror.next'
import * as Y from 'yjs'
import { cursors } from './cursors'
import type { OpenRoom } from './room'
import { say } from './words'

export interface Editor {
  readonly view: EditorView
  /** Forbids or allows typing. */
  setViewOnly(viewOnly: boolean): void
  /** Says in an empty text what it is for. Until then nobody knows that it is empty. */
  invite(): void
  /** Says the editor's own words again, after a change of language. */
  translate(): void
  close(): void
}

/** How much of the window's top and bottom lies under something else, in pixels. */
export interface Covered {
  top: number
  bottom: number
}

/**
 * An editor for `room`'s text inside `parent`; the cursor keeps out of what is `covered`.
 * Tab leaves it, as on any page.
 */
export function openEditor(parent: HTMLElement, key: string, room: OpenRoom, covered: () => Covered): Editor {
  const words = new Compartment()
  const access = new Compartment()
  const undoManager = new Y.UndoManager(room.text)
  let viewOnly = false
  let isInviting = false
  const spoken = () => [
    placeholder(isInviting ? say(viewOnly ? 'emptyToRead' : 'empty') : ''),
    EditorView.contentAttributes.of({
      'aria-label': say('editor', { key }),
      spellcheck: 'true',
      autocapitalize: 'sentences',
      // A text that nobody can type into is still one to read and to scroll by keys.
      tabindex: '0',
    }),
  ]
  const view = new EditorView({
    parent,
    state: EditorState.create({
      doc: room.text.toString(),
      extensions: [
        keymap.of([...yUndoManagerKeymap, ...defaultKeymap]),
        EditorView.lineWrapping,
        // Each character counts as one in the shared text, so a line may end in one way only.
        EditorState.lineSeparator.of('\n'),
        EditorView.clipboardInputFilter.of((pasted) => pasted.replace(/\r\n?/g, '\n')),
        EditorView.scrollMargins.of(covered),
        words.of(spoken()),
        access.of([]),
        yCollab(room.text, null, { undoManager }),
        cursors(room.text, room.awareness),
      ],
    }),
  })
  const translate = () => view.dispatch({ effects: words.reconfigure(spoken()) })
  return {
    view,
    setViewOnly(now) {
      viewOnly = now
      const extension = viewOnly ? [EditorState.readOnly.of(true), EditorView.editable.of(false)] : []
      view.dispatch({ effects: access.reconfigure(extension) })
      translate()
    },
    invite() {
      if (isInviting) return
      isInviting = true
      translate()
    },
    translate,
    close() {
      view.destroy()
      undoManager.destroy()
    },
  }
}
