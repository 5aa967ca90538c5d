// A list that opens while a word after `/` or `@` is typed.
import { Plugin, PluginKey, type EditorState } from '@tiptap/pm/state'
import type { EditorView } from '@tiptap/pm/view'
import { listbox, type Option } from './listbox'
import { popup } from './popup'

export interface Suggestion {
  /** `/` or `@`. */
  char: string
  root: HTMLElement
  label: () => string
  empty: () => string
  covered: () => { top: number; bottom: number }
  /** What fits `query`; `replace` takes the typed word away first. */
  options(query: string, view: EditorView, replace: () => { from: number; to: number }): Promise<Option[]> | Option[]
  /** How many words may be typed. */
  words: number
}

interface Match {
  from: number
  to: number
  query: string
}

/** The word being typed at the cursor, if it begins with the character after a space or a line's start. */
export function matchAt(state: EditorState, char: string, words: number): Match | null {
  const { $from, empty } = state.selection
  const { parent, parentOffset } = $from
  if (!empty || !parent.isTextblock || parent.type.spec.code === true) return null
  if ($from.marks().some((mark) => mark.type.spec.code === true)) return null
  const text = parent.textBetween(Math.max(0, parentOffset - 60), parentOffset, undefined, '\ufffc')
  const at = text.lastIndexOf(char)
  if (at < 0 || (at > 0 && !/[\s\ufffc([{«“"']/.test(text[at - 1]!))) return null
  const query = text.slice(at + 1)
  if (/^\s|[\ufffc\n]/.test(query) || query.split(' ').length > words) return null
  return { from: $from.pos - query.length - 1, to: $from.pos, query }
}

export function suggest(suggestion: Suggestion): { plugin: Plugin; close: () => void; destroy: () => void } {
  const { char, root, words } = suggestion
  let view: EditorView | null = null
  let match: Match | null = null
  let dismissed: number | null = null
  let asked = 0
  const list = listbox(() => view?.dom ?? root, suggestion.label())
  const float = popup({ root, dom: list.dom, covered: suggestion.covered, closed: () => list.destroy() })

  const close = () => {
    match = null
    asked += 1
    float.close()
  }

  const refresh = async (now: EditorView) => {
    asked += 1
    const turn = asked
    const found = match
    if (found === null) return
    const replace = () => {
      const { from, to } = match ?? found
      now.dispatch(now.state.tr.delete(from, to))
      close()
      return { from, to: from }
    }
    const options = await suggestion.options(found.query, now, replace)
    if (turn !== asked || now.isDestroyed || match === null) return
    // A word that fits nothing is just a word.
    if (options.length === 0 && found.query.length > 2) {
      float.close()
      return
    }
    list.show(options, suggestion.empty())
    float.open(() => {
      if (match === null || now.isDestroyed) return null
      const { left, top, bottom } = now.coordsAtPos(Math.min(match.from, now.state.doc.content.size))
      return new DOMRect(left, top, 0, bottom - top)
    })
  }

  const plugin = new Plugin({
    key: new PluginKey(`suggest ${char}`),
    props: {
      handleKeyDown: (_, event) => {
        if (!float.isOpen) return false
        if (event.key === 'Escape') {
          dismissed = match?.from ?? null
          close()
          return true
        }
        return list.key(event)
      },
    },
    view: (made) => {
      view = made
      return {
        update: (now, before) => {
          if (now.state.doc === before.doc && now.state.selection.eq(before.selection)) return
          const found = now.editable ? matchAt(now.state, char, words) : null
          // It opens by typing, not because the cursor came by.
          const isTyped = now.state.doc !== before.doc
          if (found === null) dismissed = null
          if (found === null || found.from === dismissed || (match === null && !isTyped)) {
            if (match !== null) close()
            return
          }
          match = found
          void refresh(now)
        },
        destroy: close,
      }
    },
    })
  return {
    plugin,
    close,
    destroy: () => float.destroy(),
  }
}
