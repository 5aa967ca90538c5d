// How the others' carets, names and selections are drawn over the text.
import { EditorSelection } from '@codemirror/state'
import { RectangleMarker, type EditorView } from '@codemirror/view'
import { paintIn } from './colors'

/** So long a name stays at a caret that moved, in milliseconds. */
export const NAMED_FOR = 4000
/** Names that would overlap are stacked so high; the next ones wait until they are pointed at. */
const MOST_LEVELS = 2
/** A pointer so near to a caret, in pixels, asks for its name. */
const NEAR = 6
/** As in style.css: how wide a name may be, in pixels, and in which type it is set. */
const WIDEST = 176
const PADDING = 14
const TYPE = '500 12px Inter, sans-serif'

/** Somebody else in the text. */
export interface Other {
  client: number
  name: string
  color: string
  anchor: number
  head: number
  /** `performance.now()` when they were last seen to move. */
  moved: number
}

const pen = document.createElement('canvas').getContext('2d')

/** Two layers over and under the text of `view`, on which `others` are drawn. */
export class Overlay {
  readonly #view: EditorView
  readonly #over: Layer<Caret>
  readonly #under: Layer<Band>
  readonly #request
  #soon: number | undefined

  constructor(view: EditorView, others: () => Other[]) {
    this.#view = view
    this.#over = new Layer(view, 'others-carets', 150)
    this.#under = new Layer(view, 'others-selections', -1)
    this.#request = {
      key: this,
      read: () => ({ carets: place(view, others()), bands: others().flatMap((other) => bandsOf(view, other)) }),
      write: ({ carets, bands }: { carets: Caret[]; bands: Band[] }) => {
        this.#over.show(carets)
        this.#under.show(bands)
      },
    }
  }

  /** Draws with the editor's next measurement. */
  draw(): void {
    this.#view.requestMeasure(this.#request)
  }

  /**
   * Draws in the next frame. While the editor finds out how high a long text is, it measures
   * again and again; what asked for more in each of these rounds would keep it from an end.
   */
  drawSoon(): void {
    this.#soon ??= requestAnimationFrame(() => {
      this.#soon = undefined
      this.draw()
    })
  }

  close(): void {
    if (this.#soon !== undefined) cancelAnimationFrame(this.#soon)
    this.#over.dom.remove()
    this.#under.dom.remove()
  }
}

interface Marker {
  isLike(before: this): boolean
  draw(): HTMLElement
  update(node: HTMLElement, before: this): void
}

class Layer<M extends Marker> {
  readonly dom = document.createElement('div')
  #shown: M[] = []

  constructor(view: EditorView, name: string, height: number) {
    this.dom.className = `cm-layer ${name}`
    this.dom.style.zIndex = String(height)
    this.dom.setAttribute('aria-hidden', 'true')
    view.scrollDOM.append(this.dom)
  }

  show(markers: M[]): void {
    markers.forEach((marker, at) => {
      const node = this.dom.children[at] as HTMLElement | undefined
      const before = this.#shown[at]
      if (node === undefined || before === undefined) this.dom.append(marker.draw())
      else if (!marker.isLike(before)) marker.update(node, before)
    })
    while (this.dom.children.length > markers.length) this.dom.lastElementChild?.remove()
    this.#shown = markers
  }
}

function bandsOf(view: EditorView, { anchor, head, color }: Other): Band[] {
  const range = EditorSelection.range(inside(view, anchor), inside(view, head))
  if (range.empty) return []
  return RectangleMarker.forRange(view, 'others-selection', range).map((rect) => new Band(rect, color))
}

function inside(view: EditorView, at: number): number {
  return Math.min(at, view.state.doc.length)
}

/** The carets of `others` that are in view; names that would overlap are stacked. */
function place(view: EditorView, others: Other[]): Caret[] {
  const middle = view.scrollDOM.clientWidth / 2
  const spans: { top: number; from: number; to: number; level: number }[] = []
  return others.flatMap((other) => {
    const [rect] = RectangleMarker.forRange(view, '', EditorSelection.cursor(inside(view, other.head)))
    if (rect === undefined) return []
    const { left, top, height } = rect
    // Names grow towards the middle of the page, so that none widens it.
    const leftwards = left > middle
    const [from, to] = leftwards ? [left - widthOf(other.name), left] : [left, left + widthOf(other.name)]
    const taken = spans.filter((span) => Math.abs(span.top - top) < height / 2 && span.from < to && from < span.to)
    let level = 0
    while (taken.some((span) => span.level === level)) level += 1
    const isNamed = performance.now() - other.moved < NAMED_FOR && level < MOST_LEVELS
    if (isNamed) spans.push({ top, from, to, level })
    const { name, color } = other
    const [at, moved] = isNamed ? [level, other.moved] : [0, -NAMED_FOR]
    return [new Caret({ name, color, left, top, height, leftwards, level: at, moved })]
  })
}

function widthOf(name: string): number {
  if (pen === null) return WIDEST
  pen.font = TYPE
  return Math.min(WIDEST, pen.measureText(name).width + PADDING)
}

class Band implements Marker {
  readonly rect: RectangleMarker
  readonly color: string

  constructor(rect: RectangleMarker, color: string) {
    this.rect = rect
    this.color = color
  }

  isLike(other: this): boolean {
    return other.color === this.color && this.rect.eq(other.rect)
  }

  draw(): HTMLElement {
    const node = this.rect.draw()
    paintIn(this.color, node)
    return node
  }

  update(node: HTMLElement, before: this): void {
    paintIn(this.color, node)
    this.rect.update(node, before.rect)
  }
}

interface Look {
  name: string
  color: string
  left: number
  top: number
  height: number
  leftwards: boolean
  level: number
  moved: number
}

class Caret implements Marker {
  readonly look: Look

  constructor(look: Look) {
    this.look = look
  }

  isLike(other: this): boolean {
    return (Object.keys(this.look) as (keyof Look)[]).every((part) => this.look[part] === other.look[part])
  }

  draw(): HTMLElement {
    const node = document.createElement('div')
    node.append(document.createElement('span'))
    this.#paint(node)
    return node
  }

  update(node: HTMLElement, before: this): void {
    this.#paint(node, before)
  }

  #paint(node: HTMLElement, before?: Caret): void {
    const { name, color, left, top, height, leftwards, level, moved } = this.look
    node.className = leftwards ? 'caret leftwards' : 'caret'
    node.style.cssText = `left: ${left}px; top: ${top}px; height: ${height}px; --level: ${level}`
    paintIn(color, node)
    const label = node.firstElementChild as HTMLElement
    label.className = 'caret-name'
    label.textContent = name
    if (moved === before?.look.moved) return
    for (const animation of label.getAnimations()) animation.cancel()
    const delay = moved - performance.now()
    if (delay > -NAMED_FOR) label.animate({ opacity: [1, 1, 0], offset: [0, 0.9, 1] }, { duration: NAMED_FOR, delay })
  }
}

/** Shows the names of the carets near the pointer. */
export function nameWhatIsPointedAt({ clientX, clientY }: MouseEvent, view: EditorView): void {
  for (const caret of view.dom.querySelectorAll('.caret')) {
    const { left, right, top, bottom } = caret.getBoundingClientRect()
    const near = clientX > left - NEAR && clientX < right + NEAR && clientY > top - NEAR && clientY < bottom
    caret.classList.toggle('pointed', near)
  }
}
