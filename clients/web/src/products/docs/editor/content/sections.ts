// A long document in sections, of which only those near the screen are laid out and painted.
//
// Left to each block (`near.ts`), Chromium looks at every block of the document for every key. ProseMirror
// wants the blocks to be the text's own children, so sections stand in its shadow tree: a slot in each
// shows some blocks in a row. Nothing else sees them: not the selection, nor what is copied, found or read
// aloud.
import { AllSelection, Plugin, PluginKey, Selection, TextSelection, type EditorState } from '@tiptap/pm/state'
import type { EditorView } from '@tiptap/pm/view'
import { LONG } from './near'

/** Blocks in a section when it is made. */
export const TYPICAL = 16
/** With more it is divided. */
export const MOST = 32

/** Whether this browser draws sections; the others' editing is not known to keep to slots. */
export const HAS_SECTIONS = typeof HTMLSlotElement !== 'undefined' && 'assign' in HTMLSlotElement.prototype && /Chrome\//.test(navigator.userAgent)

type Ends = Record<string, 'start' | 'end'>
const ENDS: Ends = { Home: 'start', End: 'end' }
const ENDS_ON_MACS: Ends = { ArrowUp: 'start', ArrowDown: 'end' }
/** When everything is selected. */
const OUT_OF_ALL: Ends = { ArrowLeft: 'start', ArrowUp: 'start', Home: 'start', PageUp: 'start', ArrowRight: 'end', ArrowDown: 'end', End: 'end', PageDown: 'end' }

const STYLES = `
div { display: flow-root; content-visibility: auto; contain-intrinsic-block-size: auto calc(var(--blocks) * 5em) }
div.is-near { content-visibility: visible }
@media print { div { content-visibility: visible } }`

interface Section {
  readonly dom: HTMLElement
  readonly slot: HTMLSlotElement
  blocks: readonly Node[]
}

/** Draws a text that has a shadow root already, or becomes long, in sections. */
export function sections(): Plugin {
  return new Plugin({
    key: new PluginKey('sections'),
    props: { handleKeyDown: (view, event) => view.dom.shadowRoot !== null && toEnd(view, event) },
    view(view) {
      let drawn: Sections | null = null
      const draw = (before: EditorState | null) => {
        if (drawn === null && (view.dom.shadowRoot !== null || view.state.doc.childCount >= LONG)) drawn = new Sections(view.dom)
        else if (before !== null && before.doc === view.state.doc && before.selection.eq(view.state.selection)) return
        drawn?.settle()
        drawn?.approach(blocksAtSelection(view))
      }
      draw(null)
      return {
        update: (_, before) => draw(before),
        destroy: () => drawn?.destroy(),
      }
    },
  })
}

/** Goes to the beginning or the end of the text: Chromium does not find a place that is not laid out. */
function toEnd(view: EditorView, { key, ctrlKey, metaKey, altKey, shiftKey }: KeyboardEvent): boolean {
  const { doc, selection, tr } = view.state
  const isPlain = !ctrlKey && !metaKey && !shiftKey
  const ends = isPlain && selection instanceof AllSelection ? OUT_OF_ALL : ctrlKey && !metaKey ? ENDS : metaKey && !ctrlKey ? ENDS_ON_MACS : {}
  const end = ends[key]
  if (end === undefined || altKey) return false
  const place = end === 'start' ? Selection.atStart(doc) : Selection.atEnd(doc)
  view.dispatch(tr.setSelection(shiftKey ? TextSelection.between(selection.$anchor, place.$head) : place).scrollIntoView())
  return true
}

/** Makes `text` one whose blocks are drawn only once they are in sections. Call it before they are there. */
export function expectSections(text: HTMLElement): ShadowRoot {
  return text.attachShadow({ mode: 'open', slotAssignment: 'manual' })
}

class Sections {
  readonly #text: HTMLElement
  readonly #root: ShadowRoot
  readonly #watch: MutationObserver
  #all: readonly Section[] = []
  #near = new Set<Section>()
  #of = new WeakMap<Node, Section>()

  constructor(text: HTMLElement) {
    this.#text = text
    this.#root = text.shadowRoot ?? expectSections(text)
    const sheet = new CSSStyleSheet()
    sheet.replaceSync(STYLES)
    this.#root.adoptedStyleSheets = [sheet]
    this.#watch = new MutationObserver((changes) => this.#changed(changes))
    this.#watch.observe(text, { childList: true })
    this.#divide()
  }

  destroy(): void {
    this.#watch.disconnect()
  }

  /** Draws the blocks that have come since the last time; the browser may be asked where they are then. */
  settle(): void {
    this.#changed(this.#watch.takeRecords())
  }

  /** From now on the sections of these blocks are laid out wherever they are. */
  approach(blocks: readonly Node[]): void {
    const near = new Set<Section>()
    for (const block of blocks) {
      const section = this.#of.get(block)
      if (section !== undefined) near.add(section)
    }
    for (const section of this.#near) if (!near.has(section)) section.dom.classList.remove('is-near')
    for (const section of near) section.dom.classList.add('is-near')
    this.#near = near
  }

  #changed(changes: readonly MutationRecord[]): void {
    if (changes.length === 0) return
    // What was put somewhere belongs where it is now.
    for (const { addedNodes } of changes) for (const block of addedNodes) this.#of.delete(block)
    this.#divide()
  }

  #divide(): void {
    const all = divided([...this.#text.childNodes], this.#all, (block) => this.#of.get(block)).map(([known, blocks]) => {
      const section = known ?? makeSection()
      if (!isSame(section.blocks, blocks)) {
        section.slot.assign(...(blocks as (Element | Text)[]))
        section.dom.style.setProperty('--blocks', String(blocks.length))
        section.blocks = blocks
        for (const block of blocks) this.#of.set(block, section)
      }
      return section
    })
    const kept = new Set(all)
    for (const section of this.#all) if (!kept.has(section)) section.dom.remove()
    let place = this.#root.firstChild
    for (const { dom } of all) {
      if (dom === place) place = place.nextSibling
      else this.#root.insertBefore(dom, place)
    }
    this.#all = all
  }
}

/**
 * Which blocks belong together, in order, and to which of `before` they belonged; null for a new section.
 * New blocks join those above them; sections that have become too large are divided.
 */
export function divided<Block, Group>(blocks: readonly Block[], before: readonly Group[], groupOf: (block: Block) => Group | undefined): [Group | null, Block[]][] {
  const places = new Map(before.map((group, place) => [group, place]))
  const found: [Group | null, Block[]][] = []
  let place = -1
  for (const block of blocks) {
    const group = groupOf(block)
    const at = group === undefined ? -1 : (places.get(group) ?? -1)
    if (at > place) {
      found.push([group!, []])
      place = at
    } else if (found.length === 0) found.push([null, []])
    found.at(-1)![1].push(block)
  }
  return found.flatMap(([group, members]) => {
    if (members.length <= MOST) return [[group, members]]
    const parts = Math.round(members.length / TYPICAL)
    return Array.from({ length: parts }, (_, part): [Group | null, Block[]] => {
      const [from, to] = [part, part + 1].map((each) => Math.round((each * members.length) / parts))
      return [part === 0 ? group : null, members.slice(from, to)]
    })
  })
}

function makeSection(): Section {
  const dom = document.createElement('div')
  const slot = document.createElement('slot')
  dom.append(slot)
  return { dom, slot, blocks: [] }
}

function isSame(one: readonly Node[], other: readonly Node[]): boolean {
  return one.length === other.length && one.every((block, at) => block === other[at])
}

/** The blocks at both ends of the selection, with those beside them: the caret may go there with the next key. */
function blocksAtSelection(view: EditorView): Node[] {
  const { $from, $to } = view.state.selection
  const found: Node[] = []
  for (const place of $from.depth > 0 && $from.sameParent($to) ? [$from] : [$from, $to]) {
    let block = view.nodeDOM(place.depth > 0 ? place.before(1) : place.pos) ?? view.dom.lastChild
    while (block !== null && block.parentNode !== view.dom) block = block.parentNode
    for (const each of [block?.previousSibling, block, block?.nextSibling]) if (each != null) found.push(each)
  }
  return found
}
