// The binding between a ProseMirror view and a shared fragment.
//
// Why not y-prosemirror or y-tiptap: both delete from the shared document what their schema does
// not know or what does not fit, and y-tiptap 3.0.9 builds the whole document anew for every change
// of somebody else. This one reads without writing, halts at what is foreign, and applies and
// writes only what changed. The stored form is the same.
import type { Node, Schema } from '@tiptap/pm/model'
import { Plugin, PluginKey, Selection, TextSelection, type EditorState, type Transaction } from '@tiptap/pm/state'
import * as Y from 'yjs'
import { settleCaret } from '../content/caret'
import { applyDocument } from './apply'
import { doubles } from './doubles'
import { fits } from './fit'
import { Foreign } from './foreign'
import { toAbsolute, toRelative, type RelativeRange } from './positions'
import { childrenOf, readDocument, type Drawn, type Shared } from './read'
import { writeNode } from './write'

/** What the binding needs of an editor view. */
export interface Surface {
  readonly state: EditorState
  dispatch(tr: Transaction): void
  /** Takes over where the browser has put the caret, if it has not said so yet. */
  settle?(): void
}

const REMOTE = 'parvis-remote'

/** Whether `tr` shows what came through the shared document: others' changes, undo and redo. */
export function isRemote(tr: Transaction): boolean {
  return tr.getMeta(REMOTE) !== undefined
}

export const bindingKey = new PluginKey<null>('binding')

export interface BindingEvents {
  /** Something foreign came: nothing is written any more. Called once, after the event that brought it. */
  foreign(error: Foreign): void
  /** The person's own change is in the shared document. */
  wrote?(): void
  /** Undo or redo became possible or impossible. */
  history?(): void
}

export class Binding {
  readonly fragment: Y.XmlFragment
  readonly undoManager: Y.UndoManager
  drawn: Drawn = new WeakMap()
  /** Whether documents may be changed from here. */
  editable = true
  readonly #schema: Schema
  readonly #events: BindingEvents
  #shown: Node
  #surface: Surface | null = null
  #writing = false
  #showing = false
  #halted = false
  #before: RelativeRange | null = null

  /** @throws {Foreign} If the fragment holds what the schema does not know. */
  constructor(fragment: Y.XmlFragment, schema: Schema, events: BindingEvents) {
    this.fragment = fragment
    this.#schema = schema
    this.#events = events
    this.#shown = readDocument(fragment, schema, this.drawn)
    this.undoManager = new Y.UndoManager(fragment, {
      trackedOrigins: new Set([this]),
      captureTimeout: 500,
      deleteFilter: (item) => !(item.content instanceof Y.ContentType) || isHollow(item.content.type),
      captureTransaction: (tr) => tr.meta.get('addToHistory') !== false,
    })
    this.undoManager.on('stack-item-added', ({ stackItem }) => {
      if (this.#before !== null) stackItem.meta.set(this, this.#before)
      events.history?.()
    })
    this.undoManager.on('stack-item-popped', ({ stackItem }) => {
      this.#select(stackItem.meta.get(this) as RelativeRange | undefined)
      events.history?.()
    })
  }

  /** The document as it is shown; what a new view must begin with. */
  get document(): Node {
    return this.#shown
  }

  get halted(): boolean {
    return this.#halted
  }

  plugin(): Plugin {
    return new Plugin({
      key: bindingKey,
      filterTransaction: (tr) => !tr.docChanged || isRemote(tr) || (this.editable && !this.#halted && isFitting(tr)),
      view: (view) => {
        this.attach({
          get state() {
            return view.state
          },
          dispatch: (tr) => view.dispatch(tr),
          settle: () => settleCaret(view),
        })
        return {
          update: (_, before) => this.write(before),
          destroy: () => this.detach(),
        }
      },
    })
  }

  attach(surface: Surface): void {
    this.#surface = surface
    this.fragment.doc?.on('beforeTransaction', this.#remember)
    this.fragment.observeDeep(this.#changed)
    // Something may have come between the reading and now.
    this.#show()
  }

  detach(): void {
    if (this.#surface === null) return
    this.#surface = null
    this.fragment.doc?.off('beforeTransaction', this.#remember)
    this.fragment.unobserveDeep(this.#changed)
  }

  destroy(): void {
    this.detach()
    this.undoManager.destroy()
  }

  /** Writes what the view shows, if that changed. `before` is the state before the change. */
  write(before?: EditorState): void {
    const surface = this.#surface
    const doc = this.fragment.doc
    if (surface === null || doc === null || this.#halted || this.#showing) return
    const { state } = surface
    if (state.doc === this.#shown) return
    const place = before !== undefined && before.doc === this.#shown ? before : null
    this.#before = place === null ? null : this.relativeRange(place.selection, place.doc)
    const cursor = state.selection.empty ? state.selection.head : null
    this.#writing = true
    try {
      doc.transact(() => writeNode(this.fragment, state.doc, this.drawn, 0, cursor), this)
    } finally {
      this.#writing = false
    }
    this.#shown = state.doc
    this.#events.wrote?.()
  }

  /** Runs `change`, whose effects cannot be undone by the person: they only mend. */
  silently(change: () => void): void {
    const doc = this.fragment.doc
    if (doc === null) return
    doc.transact((tr) => {
      tr.meta.set('addToHistory', false)
      change()
    }, this)
  }

  /** What the next local changes are is one step of undo of its own. */
  separate(): void {
    this.undoManager.stopCapturing()
  }

  undo(): boolean {
    if (!this.editable || this.#halted || this.undoManager.undoStack.length === 0) return false
    return this.#withoutDoubles(() => this.undoManager.undo())
  }

  redo(): boolean {
    if (!this.editable || this.#halted || this.undoManager.redoStack.length === 0) return false
    return this.#withoutDoubles(() => this.undoManager.redo())
  }

  #withoutDoubles(act: () => unknown): boolean {
    const { doc } = this.fragment
    if (doc === null) return false
    const found: Y.XmlElement[] = []
    const look = (tr: Y.Transaction) => {
      if (tr.origin === this.undoManager) found.push(...doubles(this.fragment, tr))
    }
    doc.on('afterTransaction', look)
    let hasActed: boolean
    try {
      hasActed = act() !== null
    } finally {
      doc.off('afterTransaction', look)
    }
    if (found.length > 0) this.silently(() => found.forEach(remove))
    return hasActed
  }

  /** The relative position of a place in the document shown; null while something unwritten is shown. */
  relative(pos: number, assoc = -1, doc = this.#shown): Y.RelativePosition | null {
    return toRelative(this.fragment, doc, pos, this.drawn, assoc)
  }

  absolute(position: Y.RelativePosition): number | null {
    const pos = toAbsolute(this.fragment, position, this.drawn)
    return pos === null || pos > this.#shown.content.size ? null : pos
  }

  relativeRange(selection: Selection, doc = this.#shown): RelativeRange | null {
    const anchor = this.relative(selection.anchor, -1, doc)
    const head = selection.empty ? anchor : this.relative(selection.head, -1, doc)
    return anchor === null || head === null ? null : { anchor, head }
  }

  readonly #remember = () => {
    if (this.#writing || this.#surface === null || this.#halted) return
    this.#surface.settle?.()
    const { doc, selection } = this.#surface.state
    this.#before = doc === this.#shown && selection instanceof TextSelection ? this.relativeRange(selection) : null
  }

  readonly #changed = (_: Y.YEvent<Y.AbstractType<unknown>>[], transaction: Y.Transaction) => {
    if (this.#writing && transaction.origin === this) return
    for (const type of transaction.changed.keys()) this.drawn.delete(type as unknown as Shared)
    for (const type of transaction.changedParentTypes.keys()) this.drawn.delete(type as unknown as Shared)
    this.#show()
  }

  #show(): void {
    const surface = this.#surface
    if (surface === null || this.#halted) return
    let doc: Node
    try {
      doc = readDocument(this.fragment, this.#schema, this.drawn)
    } catch (error) {
      if (!(error instanceof Foreign)) throw error
      this.#halted = true
      queueMicrotask(() => this.#events.foreign(error))
      return
    }
    const { state } = surface
    if (doc === state.doc) return
    const { tr } = state
    applyDocument(tr, state.doc, doc)
    this.#keepSelection(state, tr)
    this.#showing = true
    try {
      surface.dispatch(tr.setMeta(REMOTE, true).setMeta('addToHistory', false))
    } finally {
      this.#showing = false
    }
    this.#shown = surface.state.doc
    adopt(this.fragment, this.#shown, this.drawn)
  }

  /** The cursor stays behind what stood before it, as with everybody else's cursor. */
  #keepSelection(state: EditorState, tr: Transaction): void {
    if (!(state.selection instanceof TextSelection)) return
    const size = tr.doc.content.size
    const place = (position: Y.RelativePosition | undefined, mapped: number) => {
      const found = position === undefined ? null : toAbsolute(this.fragment, position, this.drawn)
      return Math.min(found ?? mapped, size)
    }
    const anchor = place(this.#before?.anchor, tr.mapping.map(state.selection.anchor, -1))
    const head = place(this.#before?.head, tr.mapping.map(state.selection.head, -1))
    if (anchor === tr.selection.anchor && head === tr.selection.head) return
    tr.setSelection(TextSelection.between(tr.doc.resolve(anchor), tr.doc.resolve(head)))
  }

  #select(range: RelativeRange | undefined): void {
    if (this.#surface === null || range === undefined) return
    const anchor = this.absolute(range.anchor)
    const head = this.absolute(range.head)
    if (anchor === null || head === null) return
    const { tr } = this.#surface.state
    const selection = TextSelection.between(tr.doc.resolve(anchor), tr.doc.resolve(head))
    this.#surface.dispatch(tr.setSelection(selection).scrollIntoView().setMeta('addToHistory', false))
  }
}

function isFitting(tr: Transaction): boolean {
  const is = fits(tr)
  if (!is) console.error('a change was refused because what it made does not fit the schema', tr.steps.map((step) => step.toJSON() as unknown))
  return is
}

/**
 * Whether undoing the making of this takes nothing from others. What they wrote in a block since is
 * kept with the block. A text is never taken out of a block that stays: somebody whose letters have
 * not come yet may be writing in it, and an empty one does no harm.
 */
function isHollow(type: unknown): boolean {
  return type instanceof Y.XmlElement && type.toArray().every((child) => child instanceof Y.XmlText && child.length === 0)
}

function remove(element: Y.XmlElement): void {
  const { parent } = element
  if (!(parent instanceof Y.XmlFragment)) return
  const at = (parent.toArray() as unknown[]).indexOf(element)
  if (at !== -1) parent.delete(at)
}

/** Notes that `shared` is drawn as `node`, inside too. */
function adopt(shared: Shared, node: Node, drawn: Drawn): void {
  if (drawn.get(shared) === node) return
  drawn.set(shared, node)
  const nodes = node.content.content.filter((child) => !child.isText)
  let index = 0
  for (const child of childrenOf(shared)) {
    if (!(child instanceof Y.XmlElement)) continue
    const drawnAs = nodes[index]
    if (drawnAs !== undefined) adopt(child, drawnAs, drawn)
    index += 1
  }
}
