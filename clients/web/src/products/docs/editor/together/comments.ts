// Comments over the text: drawn as decorations that move with it, found again when they come loose.
import { Plugin, PluginKey, type EditorState, type Transaction } from '@tiptap/pm/state'
import { Decoration, DecorationSet, type EditorView } from '@tiptap/pm/view'
import type { Binding } from '../binding/binding'
import type { CommentMark, CommentPlace } from '../types'
import { findAnchor } from './anchors'

interface CommentState {
  set: DecorationSet
}

const commentsKey = new PluginKey<CommentState>('comments')

export interface Comments {
  plugin: Plugin<CommentState>
  set(view: EditorView, marks: readonly CommentMark[]): void
  /** Looks again for every comment; when nobody types. Costs one look per comment. */
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

  const locate = (view: EditorView, always: boolean) => {
    const { doc } = view.state
    const places = marks.map(({ id, anchor }) => findAnchor(binding, doc, id, anchor))
    const drawn = places.flatMap((place, index) => draw(place, marks[index]!))
    view.dispatch(view.state.tr.setMeta(commentsKey, drawn).setMeta('addToHistory', false))
    // Places move with every letter; only what needs an answer is told again.
    const now = JSON.stringify(places.map(({ id, state, anchor }) => [id, state, anchor]))
    if (always || now !== told) hooks.placed(places)
    told = now
  }

  return {
    plugin: new Plugin<CommentState>({
      key: commentsKey,
      state: {
        init: () => ({ set: DecorationSet.empty }),
        apply(tr: Transaction, before: CommentState): CommentState {
          const drawn = tr.getMeta(commentsKey) as Decoration[] | undefined
          if (drawn !== undefined) return { set: DecorationSet.create(tr.doc, drawn) }
          return tr.docChanged ? { set: before.set.map(tr.mapping, tr.doc) } : before
        },
      },
      props: {
        decorations: (state) => commentsKey.getState(state)?.set,
        handleClick: (view, pos) => {
          const found = smallest(commentsKey.getState(view.state)?.set, pos)
          if (found === null && active === null) return false
          active = found
          hooks.clicked(found)
          return false
        },
      },
    }),
    set(view, now) {
      marks = now
      active = now.find((mark) => mark.active === true)?.id ?? null
      locate(view, true)
    },
    review(view) {
      if (marks.length > 0) locate(view, false)
    },
    rangeOf(state, id) {
      const found = commentsKey.getState(state)?.set.find(undefined, undefined, (spec) => spec['comment'] === id)[0]
      return found === undefined ? null : { from: found.from, to: found.to }
    },
  }
}

function draw({ id, from, to }: CommentPlace, { active }: CommentMark): Decoration[] {
  if (from === null || to === null) return []
  const look = { class: active === true ? 'comment is-active' : 'comment', 'data-comment': id }
  return [Decoration.inline(from, to, look, { comment: id })]
}

/** Of the comments at a place the one with the shortest text: the outer ones are reached beside it. */
function smallest(set: DecorationSet | undefined, pos: number): string | null {
  const found = set?.find(pos, pos) ?? []
  found.sort((one, other) => one.to - one.from - (other.to - other.from))
  return (found[0]?.spec as { comment?: string } | undefined)?.comment ?? null
}
