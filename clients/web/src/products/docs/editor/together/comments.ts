// Comments over the text: drawn where their anchors say, which follow every change and are mended after it.
import { Plugin, type EditorState } from '@tiptap/pm/state'
import { Decoration, DecorationSet, type EditorView } from '@tiptap/pm/view'
import type { Binding } from '../binding/binding'
import { settleCaret } from '../content/caret'
import type { Place, Repair } from '../../comments/anchors/anchor'
import { Anchors, anchorsKey, placesIn } from '../../comments/anchors/anchors'
import { isRemote } from '../binding/binding'
import type { CommentMark, CommentPlace } from '../types'

export interface Comments {
  /** In this order, after the binding. */
  plugins: readonly Plugin[]
  set(view: EditorView, marks: readonly CommentMark[]): void
  /** Looks again for what is lost; when nobody types. */
  review(view: EditorView): void
  rangeOf(state: EditorState, id: string): { from: number; to: number } | null
}

export interface CommentHooks {
  clicked(id: string | null): void
  placed(places: readonly CommentPlace[]): void
}

export function comments(binding: Binding, hooks: CommentHooks): Comments {
  let marks: readonly CommentMark[] = []
  let told = ''
  let active: string | null = null
  let drawn: { of: unknown; marks: unknown; set: DecorationSet } | null = null
  const anchors = new Anchors(binding.fragment, isRemote, () => tell(false, anchors.mine(), true))

  /** Places move with every letter; only what needs an answer is told again. */
  const tell = (always: boolean, repairs: readonly Repair[], own: boolean) => {
    const found = anchors.places()
    const places = marks.map(({ id, anchor }): CommentPlace => {
      const place = found.get(id) ?? null
      if (place === null) return { id, state: 'lost', from: null, to: null }
      const repair = repairs.find(({ thread }) => thread === id)
      const { from, to } = place
      return repair === undefined ? { id, state: 'exact', from, to } : { id, state: 'repaired', from, to, own, anchor: { ...anchor, a: repair.a, block: repair.block } }
    })
    const now = JSON.stringify(places.map(({ id, state, anchor }) => [id, state, anchor]))
    if (always || now !== told) hooks.placed(places)
    told = now
  }

  const setOf = (state: EditorState): DecorationSet => {
    const held = anchorsKey.getState(state)
    if (held === undefined || held.size === 0) return DecorationSet.empty
    if (drawn?.of !== held || drawn.marks !== marks) {
      const places = placesIn(state)
      const decorations = marks.flatMap((mark) => draw(places.get(mark.id), mark))
      drawn = { of: held, marks, set: DecorationSet.create(state.doc, decorations) }
    }
    return drawn.set
  }

  const plugin = new Plugin({
    props: {
      decorations: setOf,
      handleClick: (view, pos) => {
        const found = smallest(setOf(view.state), pos)
        if (found === null && active === null) return false
        active = found
        // Whoever is told draws comments anew, and the editor has yet to learn where the click put the caret.
        setTimeout(() => {
          if (!view.isDestroyed) hooks.clicked(found)
        })
        return false
      },
    },
  })

  return {
    plugins: [anchors.plugin, plugin],
    set(view, now) {
      settleCaret(view)
      marks = now
      active = now.find((mark) => mark.active === true)?.id ?? null
      anchors.set(new Map(now.map(({ id, anchor }) => [id, anchor])))
      tell(true, [], false)
    },
    review(view) {
      if (marks.length === 0) return
      settleCaret(view)
      tell(false, anchors.sweep(), false)
    },
    rangeOf(state, id) {
      return placesIn(state).get(id) ?? null
    },
  }
}

function draw(place: Place | undefined, { id, active }: CommentMark): Decoration[] {
  const look = { class: active === true ? 'comment is-active' : 'comment', 'data-comment': id }
  return (place?.ranges ?? []).map(({ from, to }) => Decoration.inline(from, to, look, { comment: id }))
}

/** Of the comments at a place the one with the shortest text: the outer ones are reached beside it. */
function smallest(set: DecorationSet, pos: number): string | null {
  const found = set.find(pos, pos)
  found.sort((one, other) => one.to - one.from - (other.to - other.from))
  return (found[0]?.spec as { comment?: string } | undefined)?.comment ?? null
}
