// Where the comments of a document are in one editor: followed through every change, mended after it.
//
// Three things hold a comment. Its trace knows every shared character that stands for its words: what this
// editor changes is followed unit by unit, what others change by the words that they delete and write at
// once. The stored anchor tells what nobody can see from outside: where somebody has pasted what they had
// cut, and what their undo brought back; whoever made such a change stores the new anchor. And the quote
// finds what was neither followed nor stored.
import type { Node } from '@tiptap/pm/model'
import { type EditorState, Plugin, PluginKey, type Transaction } from '@tiptap/pm/state'
import type { EditorView } from '@tiptap/pm/view'
import type * as Y from 'yjs'
import { adopt, begin } from './adopt'
import { type Anchor, blockAt, type Place, type Repair } from './anchor'
import { endsAt, resolve } from './ends'
import { Change, follow, type Lost } from './follow'
import { blocksAround, type Held, heldOf, isStored, NOWHERE, pasted, recut, runsAt, shift } from './held'
import { BRIDGE, keptOf, type Range, rangesOf } from './layout'
import { locate, resemblance } from './locate'
import { Outline } from './outline'
import { type Quote, quoteAt } from './quotes'
import { growShared, redone, rejoin } from './rejoin'
import { shifted } from './revive'
import { SharedChange } from './shared'
import { joined, type Piece, Trace } from './trace'
import { type Units, unitAt, unitsOf } from './units'

type State = ReadonlyMap<string, Held>

interface Memory {
  anchor: Anchor
  readonly trace: Trace
  /** What was cut here, newest first: it may be pasted. */
  cut: readonly Lost[]
  /** Its words and context before it was lost. */
  quote: Quote
  /** The stored anchor is about text that has not come yet. */
  isUnread: boolean
  /** This client has stored an anchor and nobody has a better one. */
  isMine: boolean
}

const MOST_CUT = 24
/** Milliseconds that the searches for lost comments may take at once. */
const SEARCH_TIME = 40

export const anchorsKey = new PluginKey<State>('anchors')

/** Whether `tr` shows a change of the shared document that was made elsewhere, or by undo. */
type IsRemote = (tr: Transaction) => boolean

/**
 * The places of a document's comments in one editor.
 *
 * Add `plugin` to the editor after its binding, and tell `set` what the room's threads are. Read
 * `places`; those without one are orphans, which keep their quote. Send what `mine()` and `sweep()` return.
 */
export class Anchors {
  readonly plugin: Plugin<State>
  readonly #memories = new Map<string, Memory>()
  readonly #moved = new Set<string>()
  /** Those whose shared characters were written anew by a change made here, also one beside them. */
  readonly #rewritten = new Set<string>()
  /** Those that a change made elsewhere may have broken. */
  readonly #broken = new Set<string>()
  readonly #settled = new WeakSet<Held>()
  #view: EditorView | null = null
  #doc: Node | null = null
  readonly #root: Y.XmlFragment
  readonly #isRemote: IsRemote
  readonly #changed: () => void
  readonly #now: () => number

  /**
   * @param root the fragment that the editor is bound to.
   * @param changed told after places or repairs have changed.
   * @param now milliseconds, for the bound on searches.
   */
  constructor(root: Y.XmlFragment, isRemote: IsRemote, changed: () => void = () => undefined, now: () => number = () => performance.now()) {
    this.#root = root
    this.#isRemote = isRemote
    this.#changed = changed
    this.#now = now
    this.plugin = new Plugin<State>({
      key: anchorsKey,
      state: {
        init: () => new Map(),
        apply: (tr, state) => this.#apply(tr, state),
      },
      view: (view) => this.#attach(view),
    })
  }

  /** Where every thread stands that stands anywhere. */
  places(): ReadonlyMap<string, Place> {
    return this.#view === null ? new Map() : placesIn(this.#view.state)
  }

  /** The room's threads, all of them, whenever one has come, changed or gone. */
  set(threads: ReadonlyMap<string, Anchor>): void {
    for (const id of this.#memories.keys()) if (!threads.has(id)) this.#memories.delete(id)
    const fresh = new Set<string>()
    for (const [id, anchor] of threads) {
      const memory = this.#memories.get(id)
      if (memory === undefined) this.#memories.set(id, { anchor, trace: new Trace(), cut: [], quote: anchor.quote, isUnread: false, isMine: false })
      const isKnown = memory !== undefined && memory.anchor.a?.start === anchor.a?.start && memory.anchor.a?.end === anchor.a?.end
      if (memory !== undefined) memory.anchor = anchor
      if (!isKnown) fresh.add(id)
    }
    if (this.#view !== null) this.#read(this.#view, fresh)
  }

  /** New anchors for what this client's own changes have moved, once; send them soon. */
  mine(): Repair[] {
    const repairs = this.#repairs(this.#moved)
    this.#moved.clear()
    for (const { thread } of repairs) (this.#memories.get(thread) as Memory).isMine = true
    return repairs
  }

  /**
   * New anchors for whatever the room's anchors do not lead to by themselves, orphans searched once more.
   * One client with the right to edit calls this when nothing has changed for a while.
   */
  sweep(): Repair[] {
    const view = this.#view
    if (view === null) return []
    const state = anchorsKey.getState(view.state)
    const orphans = new Set([...this.#memories.keys()].filter((id) => !state?.get(id)?.ranges.length))
    if (orphans.size > 0) this.#read(view, orphans)
    return this.#repairs(this.#memories.keys())
  }

  #attach(view: EditorView): { update: (view: EditorView, before: EditorState) => void; destroy: () => void } {
    this.#view = view
    this.#doc = view.state.doc
    const shared = this.#root.doc
    const changed = (transaction: Y.Transaction): void => { this.#rejoin(transaction) }
    shared?.on('afterTransaction', changed)
    if (this.#memories.size > 0) this.#read(view, new Set(this.#memories.keys()))
    return {
      update: (_, before) => { this.#settle(before) },
      destroy: () => {
        shared?.off('afterTransaction', changed)
        this.#view = null
      },
    }
  }

  /** The outline of what is shown; null while the shared document is not the one shown. */
  #outline(doc: Node): Outline | null {
    const outline = new Outline(this.#root, doc.type.schema)
    return outline.size === doc.content.size ? outline : null
  }

  #repairs(ids: Iterable<string>): Repair[] {
    const view = this.#view
    if (view === null) return []
    const { doc } = view.state
    const state = anchorsKey.getState(view.state)
    const repairs: Repair[] = []
    let outline: Outline | null = null
    for (const thread of ids) {
      const memory = this.#memories.get(thread)
      const ranges = keptOf(doc, state?.get(thread)?.pieces ?? [])
      const [first] = ranges
      if (memory === undefined || memory.isUnread || first === undefined) continue
      outline ??= this.#outline(doc)
      if (outline === null) return repairs
      if (isStored(outline, memory.anchor, ranges)) continue
      const a = endsAt(outline, ranges)
      if (a !== null) repairs.push({ thread, a, block: blockAt(doc, first.from) })
    }
    return repairs
  }

  /** Takes over the stored anchors of these threads, or looks for their words. */
  #read(view: EditorView, ids: ReadonlySet<string>): void {
    const { doc } = view.state
    const before = anchorsKey.getState(view.state) ?? new Map<string, Held>()
    const outline = this.#outline(doc)
    const whole = lazy(() => unitsOf(doc))
    const end = this.#now() + SEARCH_TIME
    const next = new Map<string, Held>()
    for (const [id, memory] of this.#memories) {
      const known = before.get(id) ?? NOWHERE
      if (!ids.has(id) || outline === null) next.set(id, known)
      else next.set(id, this.#look(memory, id, outline, doc, whole, () => this.#now() > end))
    }
    this.#tell(view, next)
  }

  #look(memory: Memory, id: string, outline: Outline, doc: Node, whole: () => Units, expired: () => boolean): Held {
    const { anchor, trace } = memory
    const stored = anchor.a === null ? [] : resolve(outline, anchor.a)
    memory.isUnread = stored === 'unread'
    const found = stored === 'unread' ? [] : stored
    const isNew = trace.runs.length === 0
    const isAlive = found.length > 0 && found.every(({ alive }) => alive)
    if (isNew && isAlive) begin(trace, found, outline, doc)
    else if (!isNew && found.length > 0) adopt(trace, found, outline, doc)
    if (trace.pieces(outline).length === 0 && stored !== 'unread') {
      const place = locate(doc, whole(), memory.quote, anchor.block, expired)
      const text = found.map(({ from, to }) => doc.textBetween(from, to)).join('')
      // Part of the words is still at its place: better than none.
      const guess = place !== null ? [place] : resemblance(text, memory.quote) > 0.5 ? found : []
      if (isNew) begin(trace, guess, outline, doc)
      else adopt(trace, guess.map((range) => ({ ...range, alive: true })), outline, doc)
    }
    const held = heldOf(trace, outline, doc)
    if (memory.isMine && held.pieces.length > 0 && !isStored(outline, memory.anchor, keptOf(doc, held.pieces))) {
      // Somebody's anchor has come over a better one: once more, with theirs.
      memory.isMine = false
      this.#moved.add(id)
    }
    return held
  }

  #tell(view: EditorView, state: State): void {
    for (const held of state.values()) this.#settled.add(held)
    view.dispatch(view.state.tr.setMeta(anchorsKey, state).setMeta('addToHistory', false))
  }

  #apply(tr: Transaction, state: State): State {
    const told: unknown = tr.getMeta(anchorsKey)
    if (told !== undefined) return told as State
    if (!tr.docChanged || state.size === 0) return state
    return this.#isRemote(tr) ? this.#shown(tr, state) : this.#followed(tr, state)
  }

  /** A change made here. */
  #followed(tr: Transaction, state: State): State {
    const change = new Change(tr)
    const next = new Map<string, Held>()
    for (const [id, held] of state) {
      const memory = this.#memories.get(id)
      const isBefore = held.pieces.length > 0 && held.pieces.every(({ to }) => to < change.reach.start)
      if (isBefore && (memory?.cut.length ?? 0) === 0) {
        next.set(id, held)
        continue
      }
      const [grown, lost] = this.#settled.has(held) ? [[], []] : [held.grown, held.lost]
      const followed = follow(change, held.pieces)
      let pieces = followed === null ? shift(tr, held.pieces) : followed.pieces
      const growths = followed === null ? grown : [...grown, ...followed.grown]
      const gone = followed === null ? lost : [...followed.lost, ...shifted(lost, followed.grown)]
      const cut = memory === undefined ? [] : shifted(memory.cut, growths)
      const back = cut.length === 0 || change.written.length === 0 ? [] : pasted(cut, change, pieces)
      if (back.length > 0) pieces = joined([...pieces, ...back])
      if (followed === null && back.length === 0) {
        // What was put in beside all of them may be more than what is shown as one.
        const isBetween = held.ranges.some(({ from, to }) => to >= change.reach.start && from <= change.reach.end)
        const moved = { pieces, ranges: isBetween ? rangesOf(tr.doc, pieces) : shift(tr, held.ranges), grown, lost }
        if (this.#settled.has(held)) this.#settled.add(moved)
        next.set(id, moved)
      } else next.set(id, { pieces, ranges: rangesOf(tr.doc, pieces), grown: growths, lost: gone })
      if (pieces.length === 0 && held.pieces.length > 0) this.#remember(memory, tr.before, held.pieces)
    }
    return next
  }

  /** A change made elsewhere, as the editor shows it: roughly right until the shared document is compared. */
  #shown(tr: Transaction, state: State): State {
    const touched: Range[] = []
    // These steps are made from the end, so each is where it was before them all.
    for (const map of tr.mapping.maps) map.forEach((from, to) => touched.push(blocksAround(tr.before, from, to)))
    const next = new Map<string, Held>()
    for (const [id, held] of state) {
      const isTouched = held.ranges.some((range) => touched.some(({ from, to }) => range.to >= from && range.from <= to))
      const moved = { ...held, pieces: shift(tr, held.pieces), ranges: shift(tr, held.ranges) }
      if (isTouched) this.#broken.add(id)
      if (this.#settled.has(held)) this.#settled.add(moved)
      if (moved.pieces.length === 0 && held.pieces.length > 0) this.#remember(this.#memories.get(id), tr.before, held.pieces)
      next.set(id, moved)
    }
    return next
  }

  /** What a comment that is lost looked like. */
  #remember(memory: Memory | undefined, before: Node, pieces: readonly Piece[]): void {
    if (memory === undefined) return
    const units = unitsOf(before)
    memory.quote = quoteAt(units.text, unitAt(units, pieces[0]?.from ?? 0), unitAt(units, pieces.at(-1)?.to ?? 0))
  }

  /** After the binding has written: notes which shared characters stand for the comments now. */
  #settle(before: EditorState): void {
    const view = this.#view
    if (view === null) return
    const { doc } = view.state
    this.#doc = doc
    const state = anchorsKey.getState(view.state) ?? new Map<string, Held>()
    if (state === anchorsKey.getState(before)) return
    let outline: Outline | null = null
    for (const [id, held] of state) {
      const memory = this.#memories.get(id)
      if (memory === undefined || (this.#settled.has(held) && !this.#rewritten.has(id))) continue
      outline ??= this.#outline(doc)
      if (outline?.root.doc == null) break
      const { trace } = memory
      const { grown, lost } = this.#settled.has(held) ? NOWHERE : held
      this.#settled.add(held)
      for (const { at, text } of grown) trace.grow(at, text)
      trace.settle(outline.root.doc, runsAt(held.pieces, outline))
      memory.cut = [...lost.filter((each) => trace.isOwn(each)), ...shifted(memory.cut, grown)].slice(0, MOST_CUT)
      this.#moved.add(id)
    }
    this.#rewritten.clear()
    this.#changed()
  }

  /** After a change of the shared document that was not made by writing here. */
  #rejoin(transaction: Y.Transaction): void {
    const view = this.#view
    if (view === null || this.#memories.size === 0) return
    const { doc } = view.state
    const shared = transaction.doc
    const outline = lazy(() => this.#outline(doc))
    const change = new SharedChange(transaction, new Outline(this.#root, doc.type.schema))
    if (doc !== this.#doc) {
      // What is written here is followed already.
      for (const [id, { trace }] of this.#memories) if (trace.runs.some((run) => change.deletedIn(run).length > 0)) this.#rewritten.add(id)
      return
    }
    const state = anchorsKey.getState(view.state) ?? new Map<string, Held>()
    const next = new Map(state)
    let isChanged = false
    for (const [id, memory] of this.#memories) {
      const { trace } = memory
      const lost = rejoin(trace, change)
      const isBack = transaction.local && redone(trace, shared)
      if (transaction.local) {
        if (lost !== null) memory.cut = [...lost.filter((each) => trace.isOwn(each)), ...memory.cut].slice(0, MOST_CUT)
      }
      const isPasted = transaction.local && memory.cut.length > 0 && recut(trace, memory.cut, change, shared)
      if (lost === null && !isBack && !isPasted && !this.#broken.has(id) && !memory.isUnread) continue
      const shape = outline()
      if (shape === null) return
      if (memory.isUnread) next.set(id, this.#look(memory, id, shape, doc, () => unitsOf(doc), () => true))
      else {
        growShared(trace, shape, doc, change, transaction.local ? BRIDGE : Infinity)
        next.set(id, heldOf(trace, shape, doc))
      }
      if (transaction.local) this.#moved.add(id)
      isChanged = true
    }
    this.#broken.clear()
    if (isChanged) this.#tell(view, next)
  }
}

/** Where the threads of a state stand. */
export function placesIn(state: EditorState): ReadonlyMap<string, Place> {
  const places = new Map<string, Place>()
  for (const [id, { ranges }] of anchorsKey.getState(state) ?? []) {
    const [first] = ranges
    if (first !== undefined) places.set(id, { from: first.from, to: first.to, ranges })
  }
  return places
}

function lazy<Value>(make: () => Value): () => Value {
  let made: { value: Value } | null = null
  return () => (made ??= { value: make() }).value
}
