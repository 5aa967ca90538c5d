// Which blocks of a long document are laid out only when they are seen: all but those at the cursor.
// Where the browser draws sections (`sections.ts`), they do that better.
//
// `content-visibility: auto` (editor.css) leaves out what is far away, and also what is new, until
// the next frame. Chromium puts letters typed before that frame somewhere else. So the block with
// the cursor and its neighbours are marked, in the same change that makes them.
import { Plugin, PluginKey, type EditorState } from '@tiptap/pm/state'
import { Decoration, DecorationSet } from '@tiptap/pm/view'

/** Shorter documents are laid out as a whole. */
export const LONG = 150

/** Longer blocks are not looked through by the browser's spelling. */
const HUGE = 20_000

export function nearness(hasSections: boolean): Plugin {
  return new Plugin({
    key: new PluginKey('nearness'),
    props: {
      attributes: ({ doc }: EditorState): Record<string, string> => (doc.childCount >= LONG && !hasSections ? { class: 'is-long' } : {}),
      decorations: ({ doc, selection }) => {
        if (doc.childCount === 0) return null
        const isLong = doc.childCount >= LONG && !hasSections
        const { $from, $to, $head } = selection
        const drawn: Decoration[] = []
        const huge = $head.parent
        if (huge.isTextblock && huge.content.size > HUGE && $head.depth > 0) {
          drawn.push(Decoration.node($head.before(), $head.after(), { spellcheck: 'false' }))
        }
        if (isLong) {
          for (const place of $from.index(0) === $to.index(0) ? [$head] : [$from, $to]) {
            const index = Math.min(place.index(0), doc.childCount - 1)
            let pos = place.depth > 0 ? place.before(1) : place.pos - (index < place.index(0) ? doc.child(index).nodeSize : 0)
            const first = Math.max(0, index - 1)
            for (let at = index; at > first; at -= 1) pos -= doc.child(at - 1).nodeSize
            for (let at = first; at <= Math.min(doc.childCount - 1, index + 1); at += 1) {
              const end = pos + doc.child(at).nodeSize
              drawn.push(Decoration.node(pos, end, { class: 'is-near' }))
              pos = end
            }
          }
        }
        return drawn.length === 0 ? null : DecorationSet.create(doc, drawn)
      },
    },
  })
}
