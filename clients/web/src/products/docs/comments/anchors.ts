// Where comments stand: kept through splits, merges, moves and undo, found again by their words, mended.
//
// Yjs has no split, no merge and no move: the editor's binding deletes characters and writes new ones,
// and undo writes them once more. A relative position then points at something that is gone, or at a
// character that was reused for another word. So three things hold a comment: relative positions, the
// words with their context, and the block. Whoever's change broke an anchor knows exactly where it
// went, and writes the new one; what nobody mends so, one client mends after a while (`sweep`).
import type { Node, Schema } from '@tiptap/pm/model'
import { type EditorState, Plugin, PluginKey, type Transaction } from '@tiptap/pm/state'
import type { EditorView } from '@tiptap/pm/view'
import type * as Y from 'yjs'
import { ALIKE, align, contextAt, findQuote, likeness, plain, type Quote, quoteAt } from './quotes'
import { type Ends, endsAt, resolveEnds } from './relative'
import { posBefore, rangeOf, type Units, unitAt, unitsOf } from './units'

export type { Ends } from './relative'
export type { Quote } from './quotes'

/** What the room keeps of a thread's anchor. */
export interface Anchor {
  readonly a: Ends | null
  readonly quote: Quote
  readonly block: string | null
}

export interface Place {
  readonly from: number
  readonly to: number
}

/** A new anchor for a thread: the body of `comment.anchor`. */
export interface Repair {
  readonly thread: string
  readonly a: Ends
  readonly block: string | null
}

/** here: made in this editor. undo: this editor's undo or redo, through the shared document. there: somebody else's. */
export type Origin = 'here' | 'undo' | 'there'

interface Track extends Place {
  /** The last change may have broken its relative positions. */
  readonly touched: boolean
  /** Whether a guess brought it here, rather than its characters or the change itself. */
  readonly guessed: boolean
  /** Whether this client made the last change to it. */
  readonly own: boolean
}
type Tracks = ReadonlyMap<string, Track | null>

interface Memory {
  anchor: Anchor
  /** This client's own relative positions: the room's, or newer ones. */
  live: Ends | null
  /** Earlier ones, newest first: an undo may bring their characters back. */
  past: Ends[]
  /** Its words and context when its place was last certain. */
  quote: Quote
}

const PAST = 12
/** Longer quotes are not aligned letter by letter. */
const LONGEST = 600
/** Milliseconds that one search through a document may take. */
const SEARCH_TIME = 40
/** So many units beside a comment that are its own again are no chance. */
const TOGETHER = 6
/** So many units between the halves of a comment tear it apart. */
const FAR = 64
/** So many units that stayed where they were tell what is left of a comment. */
const CERTAIN = 3
/** An exact match must have this many units, with its context, to bring a lost comment back. */
const CONVINCING = 10

export const anchorsKey = new PluginKey<Tracks>('anchors')

/** The anchor of a new comment on what is between `from` and `to`; null if nothing is. */
export function anchorAt(root: Y.XmlFragment, doc: Node, from: number, to: number): Anchor | null {
  const units = unitsOf(doc)
  const [first, last] = [unitAt(units, from), unitAt(units, to)]
  const range = rangeOf(units, first, last)
  if (range === null) return null
  const a = endsAt(root, range.from, range.to, doc.type.schema)
  if (a === null) return null
  const text = doc.textBetween(range.from, range.to, '\n', '\ufffc')
  return { a, quote: { ...quoteAt(units.text, first, last), text }, block: blockAt(doc, range.from) }
}

/** The id of the innermost block with one at `pos`. */
export function blockAt(doc: Node, pos: number): string | null {
  const at = doc.resolve(pos)
  const after = at.nodeAfter
  if (after !== null && after.isBlock && typeof after.attrs['id'] === 'string') return after.attrs['id']
  for (let depth = at.depth; depth > 0; depth -= 1) {
    const id: unknown = at.node(depth).attrs['id']
    if (typeof id === 'string') return id
  }
  return null
}

/** The children of two versions of a document that differ: from `first` to before `oldLast` and `newLast`. */
function difference(before: Node, after: Node): { first: number; oldLast: number; newLast: number; start: number; oldEnd: number; newEnd: number } {
  const least = Math.min(before.childCount, after.childCount)
  const same = (one: Node, other: Node): boolean => one === other || one.eq(other)
  let first = 0
  let start = 0
  while (first < least && same(before.child(first), after.child(first))) {
    start += before.child(first).nodeSize
    first += 1
  }
  let back = 0
  let tail = 0
  while (back < least - first && same(before.child(before.childCount - 1 - back), after.child(after.childCount - 1 - back))) {
    tail += before.child(before.childCount - 1 - back).nodeSize
    back += 1
  }
  return {
    first, start, oldLast: before.childCount - back, newLast: after.childCount - back,
    oldEnd: before.content.size - tail, newEnd: after.content.size - tail,
  }
}

type Difference = ReturnType<typeof difference>

/** A difference that no place reaches out of. */
function widened(difference: Difference, before: Node, tracks: Tracks): Difference {
  let { first, start, oldLast, newLast, oldEnd, newEnd } = difference
  let [from, to] = [start, oldEnd]
  for (const track of tracks.values()) {
    if (track === null || track.to <= start || track.from >= oldEnd) continue
    from = Math.min(from, track.from)
    to = Math.max(to, track.to)
  }
  while (first > 0 && start > from) start -= before.child(--first).nodeSize
  while (oldLast < before.childCount && oldEnd < to) {
    const size = before.child(oldLast).nodeSize
    oldLast += 1
    newLast += 1
    oldEnd += size
    newEnd += size
  }
  return { first, start, oldLast, newLast, oldEnd, newEnd }
}

function common(one: string, other: string): { head: number; tail: number } {
  const least = Math.min(one.length, other.length)
  let head = 0
  while (head < least && one[head] === other[head]) head += 1
  let tail = 0
  while (tail < least - head && one[one.length - 1 - tail] === other[other.length - 1 - tail]) tail += 1
  return { head, tail }
}

/**
 * The places of a document's comments in one editor.
 *
 * Add `plugin` to the editor after its binding, and tell `set` what the room's threads are. Read
 * `places`; a null place is an orphan, which keeps its quote. Send what `mine()` and `sweep()` return.
 */
export class Anchors {
  readonly plugin: Plugin<Tracks>
  #memories = new Map<string, Memory>()
  #mine = new Map<string, Repair>()
  readonly #settled = new WeakSet<Track>()
  #view: EditorView | null = null
  readonly #root: Y.XmlFragment
  readonly #origin: (tr: Transaction) => Origin
  readonly #changed: () => void
  readonly #now: () => number

  /**
   * @param root the fragment that the editor is bound to.
   * @param origin whose change a transaction of the editor is.
   * @param changed told after places or repairs have changed.
   * @param now milliseconds, for the bound on searches.
   */
  constructor(root: Y.XmlFragment, origin: (tr: Transaction) => Origin, changed: () => void = () => undefined, now: () => number = () => performance.now()) {
    this.#root = root
    this.#origin = origin
    this.#changed = changed
    this.#now = now
    this.plugin = new Plugin<Tracks>({
      key: anchorsKey,
      state: {
        init: () => new Map(),
        apply: (tr, tracks) => this.#apply(tr, tracks),
      },
      view: (view) => {
        this.#view = view
        if (this.#memories.size > 0) this.#setTracks(view.state)
        return {
          update: (_, before) => { this.#settle(before) },
          destroy: () => { this.#view = null },
        }
      },
    })
  }

  /** Where every thread stands; null for those whose words are gone. */
  places(): ReadonlyMap<string, Place | null> {
    return this.#view === null ? new Map() : (anchorsKey.getState(this.#view.state) ?? new Map())
  }

  /** The room's threads, all of them, whenever one has come, changed or gone. */
  set(threads: ReadonlyMap<string, Anchor>): void {
    for (const id of this.#memories.keys()) if (!threads.has(id)) this.#memories.delete(id)
    const fresh = new Set<string>()
    for (const [id, anchor] of threads) {
      const memory = this.#memories.get(id)
      if (memory === undefined) {
        this.#memories.set(id, { anchor, live: anchor.a, past: [], quote: { ...anchor.quote, text: plain(anchor.quote.text) } })
        fresh.add(id)
      } else if (memory.anchor.a?.start !== anchor.a?.start || memory.anchor.a?.end !== anchor.a?.end) {
        memory.anchor = anchor
        fresh.add(id)
      } else memory.anchor = anchor
    }
    if (this.#view !== null) this.#setTracks(this.#view.state, fresh)
  }

  /** New anchors for what this client's own changes have moved, once; send them soon. */
  mine(): Repair[] {
    const repairs = [...this.#mine.values()]
    this.#mine.clear()
    return repairs
  }

  /**
   * New anchors for whatever the room's anchors do not lead to by themselves, orphans searched once more.
   * One client with the right to edit calls this when nothing has changed for a while.
   */
  sweep(): Repair[] {
    const view = this.#view
    if (view === null) return []
    this.#setTracks(view.state, new Set([...this.places()].filter(([, place]) => place === null).map(([id]) => id)))
    const repairs: Repair[] = []
    for (const [id, place] of this.places()) {
      const memory = this.#memories.get(id)
      if (place === null || memory === undefined) continue
      const stored = memory.anchor.a === null ? null : this.#resolve(memory.anchor.a)
      if (stored?.shared && stored.from === place.from && stored.to === place.to) continue
      const repair = this.#repair(id, view.state.doc, place)
      if (repair !== null) repairs.push(repair)
    }
    return repairs
  }

  get #schema(): Schema {
    return (this.#view as EditorView).state.schema
  }

  #resolve(ends: Ends): ReturnType<typeof resolveEnds> {
    return this.#view === null ? null : resolveEnds(this.#root, ends, this.#schema)
  }

  #repair(thread: string, doc: Node, place: Place): Repair | null {
    const a = endsAt(this.#root, place.from, place.to, this.#schema)
    return a === null ? null : { thread, a, block: blockAt(doc, place.from) }
  }

  /** Looks threads up in the document: those named, or all. */
  #setTracks(state: EditorState, fresh: ReadonlySet<string> | null = null): void {
    const view = this.#view
    if (view === null) return
    const before = anchorsKey.getState(state) ?? new Map<string, Track | null>()
    const tracks = new Map<string, Track | null>()
    const whole = lazy(() => unitsOf(state.doc))
    const end = this.#now() + SEARCH_TIME
    for (const [id, memory] of this.#memories) {
      const known = before.get(id)
      if (known !== undefined && fresh !== null && !fresh.has(id)) tracks.set(id, known)
      else tracks.set(id, this.#look(id, memory, known ?? null, state.doc, whole, () => this.#now() > end))
    }
    view.dispatch(view.state.tr.setMeta(anchorsKey, tracks).setMeta('addToHistory', false))
  }

  /** Where the room's anchor leads, or else the words. */
  #look(id: string, memory: Memory, known: Track | null, doc: Node, whole: () => Units, expired: () => boolean): Track | null {
    const stored = memory.anchor.a === null ? null : this.#resolve(memory.anchor.a)
    if (this.#mine.has(id) && known !== null) return known
    const units = whole()
    const measure = (place: Place): number => resemblance(units.text.slice(unitAt(units, place.from), unitAt(units, place.to)), memory)
    if (stored?.alive) {
      // Whoever moved the words wrote this: it is right whatever they have become, if they are there at all.
      if (known !== null || measure(stored) >= 0.3) {
        this.#live(memory, memory.anchor.a)
        return { from: stored.from, to: stored.to, touched: false, guessed: false, own: false }
      }
    }
    if (known !== null) return known
    const found = locate(doc, units, memory.quote, memory.anchor.block, expired)
    const best = found ?? (stored?.alive ? stored : null)
    if (best !== null) return { ...best, touched: true, guessed: true, own: false }
    // Part of the words is still at its place: better than none.
    return stored !== null && measure(stored) > 0.5 ? { from: stored.from, to: stored.to, touched: true, guessed: true, own: false } : null
  }

  #live(memory: Memory, ends: Ends | null): void {
    if (ends === null || (memory.live?.start === ends.start && memory.live.end === ends.end)) return
    if (memory.live !== null) memory.past = [memory.live, ...memory.past].slice(0, PAST)
    memory.live = ends
  }

  #apply(tr: Transaction, tracks: Tracks): Tracks {
    const told: unknown = tr.getMeta(anchorsKey)
    if (told !== undefined) return told as Tracks
    if (!tr.docChanged || tracks.size === 0) return tracks
    const origin = this.#origin(tr)
    return origin === 'here' ? this.#mapped(tr, tracks) : this.#replaced(tr.before, tr.doc, tracks, origin === 'undo')
  }

  /** This client's own change says where everything went. */
  #mapped(tr: Transaction, tracks: Tracks): Tracks {
    const window = lazy(() => {
      const { first, newLast, start } = difference(tr.before, tr.doc)
      const from = Math.max(0, first - 1)
      const last = Math.min(tr.doc.childCount, newLast + 1)
      let left = start
      if (from < first) left -= tr.doc.child(from).nodeSize
      let right = left
      for (let index = from; index < last; index += 1) right += tr.doc.child(index).nodeSize
      return { left, right }
    })
    const inserted = lazy(() => insertedUnits(tr))
    const was = lazy(() => unitsOf(tr.before))
    const now = lazy(() => unitsOf(tr.doc))
    const next = new Map<string, Track | null>()
    for (const [id, track] of tracks) {
      const memory = this.#memories.get(id)
      const from = track === null ? 0 : tr.mapping.map(track.from, 1)
      const to = track === null ? 0 : tr.mapping.map(track.to, -1)
      if (track !== null && from < to) {
        const { left, right } = window()
        const isCut = to - from < track.to - track.from
        const majority = isCut && memory !== undefined ? this.#majority(was(), track, now(), { from, to }, inserted) : null
        const touched = isCut || (from <= right && to >= left)
        next.set(id, majority ?? { from, to, touched, guessed: track.guessed, own: true })
      } else if (memory === undefined) next.set(id, null)
      else {
        // What goes may come back: by a paste, or by undo.
        if (track !== null) {
          const before = was()
          memory.quote = quoteAt(before.text, unitAt(before, track.from), unitAt(before, track.to))
        }
        next.set(id, this.#pasted(memory.quote, inserted()))
      }
    }
    return next
  }

  /** Where most of a comment went, if a change moved that and left less behind. */
  #majority(was: Units, before: Place, now: Units, left: Place, inserted: () => readonly Units[]): Track | null {
    const whole = was.text.slice(unitAt(was, before.from), unitAt(was, before.to))
    const rest = now.text.slice(unitAt(now, left.from), unitAt(now, left.to))
    if (rest.length * 2 >= whole.length) return null
    const moved = whole.endsWith(rest) ? whole.slice(0, whole.length - rest.length) : whole.startsWith(rest) ? whole.slice(rest.length) : null
    return moved === null || moved.length < CONVINCING ? null : this.#pasted(quoteAt(was.text, unitAt(was, before.from) + whole.indexOf(moved), unitAt(was, before.from) + whole.indexOf(moved) + moved.length), inserted())
  }

  /** A lost comment comes back with the words that were put in. */
  #pasted(quote: Quote, pieces: readonly Units[]): Track | null {
    for (const units of pieces) {
      const found = findQuote(units.text, quote, 0, () => false)
      if (found === null || found.likeness < 1) continue
      // A few words in what somebody moves may be others' words.
      const tells = quote.text.length >= CONVINCING * 3 || (units.text === quote.text && quote.text.length >= CERTAIN * 2) || (found.context >= 0.3 && convincing(units.text, found.first, found.last, quote))
      if (!tells) continue
      const range = rangeOf(units, found.first, found.last)
      if (range !== null) return { ...range, touched: true, guessed: false, own: true }
    }
    return null
  }

  /** Somebody else's change, or an undo: the binding has replaced everything, so compare. */
  #replaced(before: Node, doc: Node, tracks: Tracks, own: boolean): Tracks {
    const { first, oldLast, newLast, start, oldEnd, newEnd } = widened(difference(before, doc), before, tracks)
    const shift = newEnd - oldEnd
    const left = first === 0 ? 0 : start - before.child(first - 1).nodeSize
    const right = oldLast === before.childCount ? oldEnd : oldEnd + before.child(oldLast).nodeSize
    const old = lazy(() => unitsOf(before, first, oldLast))
    const now = lazy(() => unitsOf(doc, first, newLast))
    const whole = lazy(() => unitsOf(doc))
    const same = lazy(() => common(old().text, now().text))
    const end = this.#now() + SEARCH_TIME
    const next = new Map<string, Track | null>()
    for (const [id, track] of tracks) {
      const memory = this.#memories.get(id)
      if (memory === undefined) continue
      // Beside the change, what was torn off may have come back.
      if (track !== null && track.to <= start) next.set(id, track.to > left ? { ...track, touched: true, own } : track)
      else if (track !== null && track.from >= oldEnd) {
        const moved = { ...track, from: track.from + shift, to: track.to + shift }
        next.set(id, track.from < right ? { ...moved, touched: true, own } : moved)
      }
      else next.set(id, this.#best(memory, track, { own, old, now, whole, same, expired: () => this.#now() > end }))
    }
    return next
  }

  #best(memory: Memory, track: Track | null, change: Change): Track | null {
    const { old, now, whole, same } = change
    const [was, is] = [old(), now()]
    const { quote } = memory
    let best: (Track & { weight: number }) | null = null
    const offer = (place: Place | null, trust: number, guessed: boolean, least: number): void => {
      if (place === null || place.from >= place.to) return
      const units = whole()
      const [first, last] = [unitAt(units, place.from), unitAt(units, place.to)]
      if (first >= last) return
      const alike = resemblance(units.text.slice(first, last), memory)
      const weight = alike * 4 + contextAt(units.text, first, last, quote) + trust
      if (alike >= least && (best === null || weight > best.weight)) best = { from: place.from, to: place.to, touched: true, guessed, own: change.own, weight }
    }
    if (track !== null) {
      // What did not change tells where the ends are; a split or a merge changes no unit at all.
      const [first, last] = [Math.max(0, unitAt(was, track.from)), unitAt(was, track.to)]
      const { head, tail } = same()
      const delta = is.text.length - was.text.length
      const starts = first < head ? first : first >= was.text.length - tail ? first + delta : null
      const ends = last <= head ? last : last > was.text.length - tail ? last + delta : null
      // A change inside it, or one that took one of its ends along: what stayed of it is certain.
      if (starts !== null && ends !== null) offer(rangeOf(is, starts, ends), 0.4, false, 0)
      else if (starts !== null && head - starts >= CERTAIN) offer(rangeOf(is, starts, head), 0.2, false, 0)
      else if (ends !== null && ends - (is.text.length - tail) >= CERTAIN) offer(rangeOf(is, is.text.length - tail, ends), 0.2, false, 0)
    }
    const refine = (place: Place, trust: number): void => {
      // Ends that were made at reused or neighbouring characters: let them stand on the comment's own words.
      const units = whole()
      const from = Math.max(0, unitAt(units, place.from) - quote.text.length)
      const around = units.text.slice(from, unitAt(units, place.to) + quote.text.length)
      if (quote.text.length > LONGEST || around.length > LONGEST * 3) return
      const found = align(around, quote.text)
      if (found !== null && found.share >= 0.7 && found.last - found.first >= CONVINCING) offer(rangeOf(units, from + found.first, from + found.last), trust, true, 0)
    }
    for (const [ends, trust] of [[memory.live, 0.6], [memory.anchor.a, 0.5]] as const) {
      if (ends === null) continue
      const place = this.#resolve(ends)
      if (place === null) continue
      offer(place, place.alive ? trust : 0.3, !place.alive, place.alive ? 0.45 : 0.5)
      if (best === null) refine(place, trust / 2)
    }
    const sure = best as (Track & { weight: number }) | null
    if (sure === null || sure.weight < 4.3) {
      for (const ends of memory.past) {
        const place = this.#resolve(ends)
        if (place?.alive) offer(place, 0.3, false, ALIKE)
      }
      const near = track === null ? same().head : unitAt(was, track.from)
      const found = findQuote(is.text, quote, near, change.expired)
      // Somebody's deletion is no move: only what can hardly be another passage counts.
      if (found?.likeness === 1 && convincing(is.text, found.first, found.last, quote)) offer(rangeOf(is, found.first, found.last), 0, true, ALIKE)
    }
    if (best === null) return null
    const { from, to, touched, guessed, own } = best as Track
    return { from, to, touched, guessed, own }
  }

  /** After the binding has written: notes new relative positions where the old ones broke. */
  #settle(before: EditorState): void {
    const view = this.#view
    if (view === null) return
    const tracks = anchorsKey.getState(view.state) ?? new Map<string, Track | null>()
    if (tracks === anchorsKey.getState(before)) return
    const { doc } = view.state
    let moved: Map<string, Track | null> | null = null
    const whole = lazy(() => unitsOf(doc))
    for (const [id, track] of tracks) {
      const memory = this.#memories.get(id)
      if (!track?.touched || memory === undefined || this.#settled.has(track)) continue
      this.#settled.add(track)
      const units = whole()
      const place = grown(units, halved(units, track, memory.quote.text), plain(memory.anchor.quote.text))
      if (place.from !== track.from || place.to !== track.to) {
        const better = { ...track, ...place }
        this.#settled.add(better)
        moved ??= new Map(tracks)
        moved.set(id, better)
      }
      if (!track.guessed) memory.quote = quoteAt(units.text, unitAt(units, place.from), unitAt(units, place.to))
      const live = memory.live === null ? null : this.#resolve(memory.live)
      if (live?.shared && live.from === place.from && live.to === place.to) continue
      const repair = this.#repair(id, doc, place)
      if (repair === null) continue
      this.#live(memory, repair.a)
      if (track.own) this.#mine.set(id, repair)
    }
    if (moved !== null) view.dispatch(view.state.tr.setMeta(anchorsKey, moved).setMeta('addToHistory', false))
    this.#changed()
  }
}

/** How much `text` is what the comment is about: its words of late, its first ones, or a part of them. */
function resemblance(text: string, { quote, anchor }: Memory): number {
  const first = plain(anchor.quote.text)
  const part = text.length >= CERTAIN && (quote.text.includes(text) || first.includes(text)) ? 0.5 : 0
  return Math.max(likeness(text, quote.text), likeness(text, first), part)
}

/** Much came between a comment's halves: the larger one keeps it. */
function halved(units: Units, place: Place, words: string): Place {
  const [from, to] = [unitAt(units, place.from), unitAt(units, place.to)]
  if (to - from < words.length * 2 + FAR) return place
  const { head, tail } = common(units.text.slice(from, to), words)
  if (head + tail < words.length) return place
  return (head >= tail ? rangeOf(units, from, from + head) : rangeOf(units, to - tail, to)) ?? place
}

/** A torn comment's halves are together again: as much around `place` as its first words have. */
function grown(units: Units, place: Place, first: string): Place {
  let [from, to] = [unitAt(units, place.from), unitAt(units, place.to)]
  const at = first.indexOf(units.text.slice(from, to))
  if (at === -1 || to - from < CERTAIN) return place
  const before = first.slice(0, at)
  const after = first.slice(at + to - from)
  const back = common(units.text.slice(Math.max(0, from - before.length), from), before).tail
  const on = common(units.text.slice(to, to + after.length), after).head
  // A letter or two agree by chance.
  if (back >= TOGETHER || (back === before.length && back >= CERTAIN)) from -= back
  if (on >= TOGETHER || (on === after.length && on >= CERTAIN)) to += on
  return rangeOf(units, from, to) ?? place
}

interface Change {
  /** An undo of this client. */
  readonly own: boolean
  readonly old: () => Units
  readonly now: () => Units
  readonly whole: () => Units
  readonly same: () => { head: number; tail: number }
  readonly expired: () => boolean
}

/** The quote's place by its words: in its block, then beside it, then anywhere. */
export function locate(doc: Node, whole: Units, quote: Quote, block: string | null, expired: () => boolean): Place | null {
  let index = -1
  let pos = 0
  let start = 0
  if (block !== null) {
    doc.forEach((child, offset, at) => {
      if (index !== -1) return
      let holds = child.attrs['id'] === block
      if (!holds) child.descendants((node) => {
        if (node.attrs['id'] === block) holds = true
        return !holds
      })
      if (holds) [index, start] = [at, offset]
    })
  }
  for (const reach of index === -1 ? [] : [0, 2]) {
    const first = Math.max(0, index - reach)
    pos = start
    for (let back = index; back > first; back -= 1) pos -= doc.child(back - 1).nodeSize
    const units = unitsOf(doc, first, Math.min(doc.childCount, index + reach + 1))
    const found = findQuote(units.text, quote, 0, expired)
    if (found !== null && found.likeness === 1 && found.context >= 0.3) return rangeOf(units, found.first, found.last)
  }
  const near = unitAt(whole, start)
  const found = findQuote(whole.text, quote, near, expired)
  if (found === null) return null
  const sure = found.likeness === 1 ? convincing(whole.text, found.first, found.last, quote) : found.likeness > 0.8 && found.context > 0.5
  return sure ? rangeOf(whole, found.first, found.last) : null
}

/** Whether so many units in a row agree that it can hardly be another passage. */
function convincing(text: string, first: number, last: number, quote: Quote): boolean {
  const around = quote.prefix.length + quote.suffix.length
  const context = contextAt(text, first, last, quote)
  // Long words speak for themselves; short ones need what stood around them.
  return last - first >= CONVINCING * 4 || (last - first + context * around >= CONVINCING * 2 && context * around >= CONVINCING / 2)
}

/** What a change has put in, piece by piece, in its last document's positions. */
function insertedUnits(tr: Transaction): Units[] {
  const pieces: Units[] = []
  const whole = lazy(() => unitsOf(tr.doc))
  tr.mapping.maps.forEach((map, step) => {
    map.forEach((_, __, newStart, newEnd) => {
      const rest = tr.mapping.slice(step + 1)
      const [from, to] = [rest.map(newStart, -1), rest.map(newEnd, 1)]
      const units = whole()
      const [first, last] = [unitAt(units, from), unitAt(units, to)]
      if (first >= last) return
      const runs: { unit: number; pos: number }[] = []
      for (let unit = first; unit < last; unit += 1) {
        const pos = posBefore(units, unit)
        const run = runs.at(-1)
        if (pos !== null && (run === undefined || run.pos + unit - first - run.unit !== pos)) runs.push({ unit: unit - first, pos })
      }
      pieces.push({ text: units.text.slice(first, last), runs })
    })
  })
  return pieces
}

function lazy<Value>(make: () => Value): () => Value {
  let made: { value: Value } | null = null
  return () => (made ??= { value: make() }).value
}
