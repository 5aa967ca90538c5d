// Where the caret is, before the browser says so.
//
// After Home or Ctrl+End the browser moves the caret at once and tells of it later, on a busy machine much
// later. A key that is faster would act where the caret was, and whatever is drawn meanwhile would put the
// caret back there.
import { Plugin, PluginKey } from '@tiptap/pm/state'
import type { EditorView } from '@tiptap/pm/view'

/** Takes over where the caret is now. Call it before a change that nobody at this keyboard made. */
export function settleCaret(view: EditorView): void {
  // What a composition does to the text is for the browser to say.
  if (view.isDestroyed || view.composing) return
  const page = view.dom.ownerDocument
  // Chromium leaves a text that begins with something uneditable (the language of code) without a caret.
  if (view.hasFocus() && !view.dom.contains(page.getSelection()?.anchorNode ?? null)) view.focus()
  else page.dispatchEvent(new Event('selectionchange'))
}

/** Lets each key act where the caret is. */
export function promptCaret(): Plugin {
  return new Plugin({
    key: new PluginKey('caret'),
    props: {
      handleDOMEvents: {
        keydown(view, event) {
          if (!event.isComposing && event.keyCode !== 229) settleCaret(view)
          return false
        },
        focus(view) {
          setTimeout(() => settleCaret(view))
          return false
        },
      },
    },
  })
}
