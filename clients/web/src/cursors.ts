// The others' cursors and selections, shown over the text, and the reader's own, told to them.
//
// y-codemirror.next draws cursors too, but takes two people of one colour for the same person (it
// shows the one's name at the other's cursor), puts what others call their colour into a style
// attribute as it is, and lets long names widen the page.
import { StateEffect, type Extension } from '@codemirror/state'
import { EditorView, ViewPlugin } from '@codemirror/view'
import type { Awareness } from 'y-protocols/awareness'
import * as Y from 'yjs'
import { NAMED_FOR, nameWhatIsPointedAt, Overlay, type Other } from './carets'
import { fitColor } from './colors'
import { nameOf } from './people'

/** Positions relative to the text around them, as y-codemirror.next writes them. */
interface Cursor {
  anchor: unknown
  head: unknown
}

const othersMoved = StateEffect.define<null>()

/** Shows where the others are in `text`, and tells them where the reader is. */
export function cursors(text: Y.Text, awareness: Awareness): Extension {
  const seen = new Sightings(text, awareness)
  const plugin = ViewPlugin.define((view) => {
    const overlay = new Overlay(view, () => seen.others())
    const onChange = ({ added, updated, removed }: Record<'added' | 'updated' | 'removed', number[]>) => {
      const changed = [...added, ...updated, ...removed]
      if (changed.every((client) => client === awareness.clientID)) return
      seen.look()
      view.dispatch({ effects: othersMoved.of(null) })
    }
    awareness.on('change', onChange)
    return {
      update(update) {
        if (view.hasFocus) tellOwn(text, awareness, update.state.selection.main)
        const moved = update.transactions.some(({ effects }) => effects.some((effect) => effect.is(othersMoved)))
        if (moved || update.docChanged) overlay.draw()
        else if (update.geometryChanged || update.viewportChanged) overlay.drawSoon()
      },
      destroy() {
        awareness.off('change', onChange)
        overlay.close()
      },
    }
  })
  return [plugin, EditorView.domEventHandlers({ mousemove: nameWhatIsPointedAt, mouseleave: nameWhatIsPointedAt })]
}

/** Where the others are, and when each was last seen to move. */
class Sightings {
  readonly #text: Y.Text
  readonly #awareness: Awareness
  readonly #moves = new Map<number, { to: string; at: number }>()

  constructor(text: Y.Text, awareness: Awareness) {
    this.#text = text
    this.#awareness = awareness
  }

  /** Notes who has moved since the last look. */
  look(): void {
    const states = this.#awareness.getStates()
    for (const [client, state] of states) {
      const to = JSON.stringify(state['cursor'] ?? null)
      if (this.#moves.get(client)?.to !== to) this.#moves.set(client, { to, at: performance.now() })
    }
    for (const client of this.#moves.keys()) if (!states.has(client)) this.#moves.delete(client)
  }

  others(): Other[] {
    const found: Other[] = []
    for (const [client, state] of this.#awareness.getStates()) {
      const cursor = state['cursor'] as Cursor | null | undefined
      if (client === this.#awareness.clientID || !cursor) continue
      const [anchor, head] = [this.#indexOf(cursor.anchor), this.#indexOf(cursor.head)]
      if (anchor === null || head === null) continue
      const user = state['user'] as { color?: unknown } | undefined
      const moved = this.#moves.get(client)?.at ?? -NAMED_FOR
      found.push({ client, name: nameOf(state), color: fitColor(user?.color), anchor, head, moved })
    }
    return found.sort((a, b) => a.client - b.client)
  }

  #indexOf(position: unknown): number | null {
    const { doc } = this.#text
    if (doc === null) return null
    try {
      const found = Y.createAbsolutePositionFromRelativePosition(Y.createRelativePositionFromJSON(position), doc)
      return found?.type === this.#text ? found.index : null
    } catch {
      return null // Not a position: others' states are their words.
    }
  }
}

function tellOwn(text: Y.Text, awareness: Awareness, own: { anchor: number; head: number }): void {
  const state = awareness.getLocalState()
  if (state === null) return
  const [anchor, head] = [own.anchor, own.head].map((at) => Y.createRelativePositionFromTypeIndex(text, at))
  const told = JSON.stringify(state['cursor'] ?? null)
  if (told !== JSON.stringify({ anchor, head })) awareness.setLocalStateField('cursor', { anchor, head })
}
