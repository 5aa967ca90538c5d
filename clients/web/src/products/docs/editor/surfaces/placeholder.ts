// What an empty document says, and that the line with the cursor takes a `/`.
import { Plugin, PluginKey } from '@tiptap/pm/state'
import { Decoration, DecorationSet } from '@tiptap/pm/view'
import type { Words } from '../types'

/** Costs nothing but a look at the line with the cursor. */
export function placeholder(words: Words): Plugin {
  return new Plugin({
    key: new PluginKey('placeholder'),
    props: {
      decorations: (state) => {
        const { doc, selection } = state
        const first = doc.firstChild
        if (doc.childCount === 1 && first?.type.name === 'paragraph' && first.content.size === 0) {
          return DecorationSet.create(doc, [Decoration.node(0, first.nodeSize, { class: 'is-empty', 'data-placeholder': words('editor.empty') })])
        }
        const { $from, empty } = selection
        if (!empty || $from.depth === 0 || $from.parent.content.size > 0 || !['paragraph', 'heading'].includes($from.parent.type.name)) return null
        const says = $from.parent.type.name === 'heading' ? words('editor.empty.heading') : $from.depth === 1 ? words('editor.empty.line') : ''
        if (says === '') return null
        return DecorationSet.create(doc, [
          Decoration.node($from.before(), $from.after(), { class: 'is-empty is-current', 'data-placeholder': says }),
        ])
      },
    },
  })
}
