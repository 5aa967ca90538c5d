// The others' cursors, selections and names in the text, and following one of them.
import { Plugin, PluginKey, type EditorState, type Transaction } from '@tiptap/pm/state'
import { Decoration, DecorationSet, type EditorView } from '@tiptap/pm/view'
import type { Awareness } from 'y-protocols/awareness'
import * as Y from 'yjs'
import type { Binding } from '../binding/binding'
import type { Words } from '../types'
import { settleCaret } from '../content/caret'
import { afterPaint } from '../idle'

/** A name stands beside its cursor this long after a move, in milliseconds. */
const NAMED_FOR = 2500

/** Of a selection as long as a book only the part near its end is drawn, in characters. */
const MOST_SELECTED = 8000

interface Stored {
  anchor: unknown
  head: unknown
}

interface Seen {
  name: string
  color: string
  cursor: Stored | null
  /** As text, to see whether it moved. */
  place: string
  moved: number
}

interface CursorState {
  set: DecorationSet
  /** Where each client's cursor is. */
  heads: ReadonlyMap<number, number>
}

const cursorsKey = new PluginKey<CursorState>('cursors')

export interface CursorHooks {
  /** A client's cursor moved, came or went. */
  moved(client: number): void
}

/** Draws the others' cursors. Per change of theirs only what changed is drawn anew, at most once per frame. */
export function cursors(binding: Binding, awareness: Awareness, words: Words, hooks: CursorHooks): Plugin<CursorState> {
  const seen = new Map<number, Seen>()
  const changed = new Set<number>()
  let frame = 0

  const note = (client: number): void => {
    const state = awareness.getStates().get(client)
    const user = state?.['user'] as { name?: unknown; color?: unknown; guest?: unknown } | undefined
    const cursor = (state?.['cursor'] ?? null) as Stored | null
    if (client === awareness.clientID || user === undefined) {
      if (seen.delete(client)) changed.add(client)
      return
    }
    const place = JSON.stringify(cursor)
    const before = seen.get(client)
    const called = String(user.name ?? '')
    // Guests choose their names: none of them passes for a member.
    const name = user.guest === true ? words('editor.guest', { name: called }) : called
    const color = colorOf(user.color)
    if (before !== undefined && before.place === place && before.name === name && before.color === color) return
    seen.set(client, { name, color, cursor, place, moved: before?.place === place ? before.moved : performance.now() })
    changed.add(client)
  }

  const decorate = (client: number, doc: EditorState['doc'], heads: Map<number, number>): Decoration[] => {
    heads.delete(client)
    const who = seen.get(client)
    if (who?.cursor == null) return []
    const anchor = resolve(binding, who.cursor.anchor)
    const head = resolve(binding, who.cursor.head)
    if (anchor === null || head === null || Math.max(anchor, head) > doc.content.size) return []
    heads.set(client, head)
    const drawn = [
      Decoration.widget(head, () => caret(who, client), { side: 10, key: `${client} ${who.name} ${who.moved}`, client, ignoreSelection: true }),
    ]
    const from = head < anchor ? head : Math.max(anchor, head - MOST_SELECTED)
    const to = head < anchor ? Math.min(anchor, head + MOST_SELECTED) : head
    if (from < to) drawn.push(Decoration.inline(from, to, { class: 'others-selection', style: `--person: ${who.color}` }, { client }))
    return drawn
  }

  return new Plugin<CursorState>({
    key: cursorsKey,
    state: {
      init: () => ({ set: DecorationSet.empty, heads: new Map() }),
      apply(tr: Transaction, before: CursorState, _, state): CursorState {
        const clients = tr.getMeta(cursorsKey) as number[] | undefined
        if (clients === undefined && !tr.docChanged) return before
        const heads = new Map(before.heads)
        let { set } = before
        if (tr.docChanged) {
          for (const [client, head] of heads) heads.set(client, tr.mapping.map(head, -1))
          set = set.map(tr.mapping, tr.doc, { onRemove: (spec) => heads.delete((spec as { client: number }).client) })
        }
        if (clients !== undefined) {
          const gone = new Set(clients)
          set = set.remove(set.find(undefined, undefined, (spec) => gone.has(spec['client'] as number)))
          set = set.add(state.doc, clients.flatMap((client) => decorate(client, state.doc, heads)))
        }
        return { set, heads }
      },
    },
    props: { decorations: (state) => cursorsKey.getState(state)?.set },
    view(view) {
      const draw = () => {
        frame = 0
        if (view.isDestroyed || changed.size === 0) return
        const clients = [...changed]
        changed.clear()
        settleCaret(view)
        view.dispatch(view.state.tr.setMeta(cursorsKey, clients).setMeta('addToHistory', false))
        for (const client of clients) hooks.moved(client)
      }
      const drawSoon = () => {
        if (frame === 0 && changed.size > 0) frame = requestAnimationFrame(draw)
      }
      const onChange = ({ added, updated, removed }: { added: number[]; updated: number[]; removed: number[] }) => {
        for (const client of [...added, ...updated, ...removed]) note(client)
        drawSoon()
      }
      const publishing = afterPaint(() => {
        if (view.isDestroyed || !view.hasFocus()) return
        const range = binding.relativeRange(view.state.selection)
        if (range === null) return
        const cursor = { anchor: Y.relativePositionToJSON(range.anchor) as unknown, head: Y.relativePositionToJSON(range.head) as unknown }
        if (JSON.stringify(awareness.getLocalState()?.['cursor']) !== JSON.stringify(cursor)) awareness.setLocalStateField('cursor', cursor)
      })
      // A cursor may come before the text that it stands in, or go with a block that is drawn anew.
      const missing = afterPaint(() => {
        if (view.isDestroyed) return
        const drawn = cursorsKey.getState(view.state)?.heads
        for (const [client, { cursor }] of seen) {
          if (cursor !== null && drawn?.has(client) === false && resolve(binding, cursor.head) !== null) changed.add(client)
        }
        drawSoon()
      })
      for (const client of awareness.getStates().keys()) note(client)
      drawSoon()
      awareness.on('change', onChange)
      view.dom.addEventListener('focus', publishing.soon)
      return {
        update: (_, before) => {
          if (view.state.selection !== before.selection || view.state.doc !== before.doc) publishing.soon()
          if (view.state.doc !== before.doc) missing.soon()
        },
        destroy: () => {
          cancelAnimationFrame(frame)
          publishing.stop()
          missing.stop()
          awareness.off('change', onChange)
          view.dom.removeEventListener('focus', publishing.soon)
          if (awareness.getLocalState() !== null) awareness.setLocalStateField('cursor', null)
        },
      }
    },
  })
}

/** Where a client's cursor is in the document shown; null if it has none. */
export function cursorOf(state: EditorState, client: number): number | null {
  return cursorsKey.getState(state)?.heads.get(client) ?? null
}

function resolve(binding: Binding, stored: unknown): number | null {
  try {
    return binding.absolute(Y.createRelativePositionFromJSON(stored))
  } catch {
    // Whatever a client puts there, it must not stop the others' cursors.
    return null
  }
}

function colorOf(color: unknown): string {
  return typeof color === 'string' && /^#[0-9a-f]{6}$/i.test(color) ? color : '#5c6167'
}

/** Black or white, whichever reads better on `color`. */
export function inkOn(color: string): string {
  const [red = 0, green = 0, blue = 0] = [1, 3, 5].map((at) => {
    const part = Number.parseInt(color.slice(at, at + 2), 16) / 255
    return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4
  })
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue > 0.179 ? '#000000' : '#ffffff'
}

function caret(who: Seen, client: number): HTMLElement {
  const dom = document.createElement('span')
  dom.className = 'others-caret'
  dom.dataset['client'] = String(client)
  dom.setAttribute('aria-hidden', 'true')
  dom.style.setProperty('--person', who.color)
  dom.style.setProperty('--on-person', inkOn(who.color))
  const name = document.createElement('span')
  name.className = 'others-name'
  name.textContent = who.name
  dom.append('\u2060', name, '\u2060')
  const rest = NAMED_FOR - (performance.now() - who.moved)
  if (rest > 0) {
    dom.classList.add('is-named')
    setTimeout(() => dom.classList.remove('is-named'), rest)
  }
  return dom
}

export interface Follower {
  follow(client: number | null): void
  scrollTo(client: number): boolean
  moved(client: number): void
  destroy(): void
}

/** Keeps one client's cursor in view until the person does something of their own. */
export function follower(view: () => EditorView | null, ended: () => void): Follower {
  let followed: number | null = null
  const HANDS = ['keydown', 'pointerdown', 'wheel', 'touchmove'] as const
  const stop = () => {
    if (followed === null) return
    set(null)
    ended()
  }
  const set = (client: number | null) => {
    for (const type of HANDS) {
      document.removeEventListener(type, stop, true)
      if (client !== null) document.addEventListener(type, stop, { capture: true, passive: true })
    }
    followed = client
  }
  const scrollTo = (client: number): boolean => {
    const shown = view()
    const head = shown === null ? null : cursorOf(shown.state, client)
    if (shown === null || head === null) return false
    const { node } = shown.domAtPos(head)
    const element = node instanceof HTMLElement ? node : node.parentElement
    const isCalm = typeof matchMedia === 'function' && matchMedia('(prefers-reduced-motion: reduce)').matches
    element?.scrollIntoView({ block: 'center', behavior: isCalm ? 'auto' : 'smooth' })
    return true
  }
  return {
    follow(client) {
      set(client)
      if (client !== null) scrollTo(client)
    },
    scrollTo,
    moved(client) {
      if (client === followed) scrollTo(client)
    },
    destroy: () => set(null),
  }
}
