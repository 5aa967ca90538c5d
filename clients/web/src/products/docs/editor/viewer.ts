// A read-only view of a shared fragment that shows anything and changes nothing.
//
// It draws straight from the shared types, so a document of a newer version, or one in which
// somebody wrote nonsense, can still be read. What it does not know is drawn as a plain block.
import * as Y from 'yjs'
import { childrenOf, type Shared, type SharedChild } from './binding/read'
import { whenIdle } from './idle'
import { images, type Images } from './images/store'
import { safeLink } from './schema/links'
import type { ViewerHandle, ViewerOptions, Words } from './types'
import './editor.css'

const DEEPEST = 100

const MARKS: Record<string, string> = {
  bold: 'strong',
  italic: 'em',
  underline: 'u',
  strike: 's',
  code: 'code',
  subscript: 'sub',
  superscript: 'sup',
  highlight: 'mark',
}

interface Painter {
  images: Images
  words: Words
}

type Draw = (element: Y.XmlElement, inside: (into: HTMLElement) => HTMLElement, painter: Painter) => HTMLElement

const make = (tag: string, className = ''): HTMLElement => {
  const element = document.createElement(tag)
  if (className !== '') element.className = className
  return element
}

const block = (tag: string): Draw => (element, inside) => {
  const made = inside(make(tag))
  made.dir = 'auto'
  const side = element.getAttribute('textAlign')
  if (typeof side === 'string') made.dataset['align'] = side
  return made
}

const NODES: Record<string, Draw> = {
  paragraph: block('p'),
  heading: (element, inside, painter) => {
    const level = Math.min(6, Math.max(1, Math.trunc(Number(element.getAttribute('level'))) || 1))
    return block(`h${level}`)(element, inside, painter)
  },
  blockquote: (_, inside) => inside(make('blockquote')),
  codeBlock: (_, inside) => {
    const pre = make('pre')
    pre.dir = 'ltr'
    pre.append(inside(make('code')))
    return pre
  },
  horizontalRule: () => make('hr'),
  image: drawImage,
  bulletList: (_, inside) => inside(make('ul')),
  orderedList: (element, inside) => {
    const list = inside(make('ol')) as HTMLOListElement
    const start = Number(element.getAttribute('start'))
    if (Number.isInteger(start)) list.start = start
    return list
  },
  listItem: (_, inside) => inside(make('li')),
  taskList: (_, inside) => {
    const list = inside(make('ul'))
    list.dataset['tasks'] = ''
    return list
  },
  taskItem: (element, inside, painter) => {
    const item = make('li')
    const isChecked = (element.getAttribute('checked') as unknown) === true
    const box = document.createElement('input')
    item.dataset['checked'] = String(isChecked)
    box.type = 'checkbox'
    box.checked = isChecked
    box.disabled = true
    const label = make('label')
    const content = inside(make('div'))
    box.setAttribute('aria-label', painter.words('editor.task', { text: (content.textContent ?? '').slice(0, 80) }))
    label.append(box)
    item.append(label, content)
    return item
  },
  table: (_, inside) => {
    const wrapper = make('div', 'table-scroll')
    const table = make('table')
    table.append(inside(make('tbody')))
    wrapper.append(table)
    return wrapper
  },
  tableRow: (_, inside) => inside(make('tr')),
  tableHeader: (element, inside) => span(element, inside(make('th')) as HTMLTableCellElement),
  tableCell: (element, inside) => span(element, inside(make('td')) as HTMLTableCellElement),
  hardBreak: () => make('br'),
  mention: (element) => {
    const mention = make('span', 'mention')
    mention.textContent = `@${String(element.getAttribute('label') ?? '')}`
    return mention
  },
}

function span(element: Y.XmlElement, cell: HTMLTableCellElement): HTMLElement {
  const [columns, rows] = [Number(element.getAttribute('colspan')), Number(element.getAttribute('rowspan'))]
  if (columns > 1 && columns <= 1000) cell.colSpan = columns
  if (rows > 1 && rows <= 10_000) cell.rowSpan = rows
  return cell
}

function drawImage(element: Y.XmlElement, _: unknown, { images: pictures, words }: Painter): HTMLElement {
  const figure = make('figure', 'doc-image')
  const frame = make('div', 'doc-image-frame')
  const picture = document.createElement('img')
  const [width, height] = [Number(element.getAttribute('naturalWidth')), Number(element.getAttribute('naturalHeight'))]
  const shown = Number(element.getAttribute('width')) || width
  picture.alt = String(element.getAttribute('alt') ?? '')
  if (shown > 0) frame.style.width = `${shown}px`
  if (width > 0 && height > 0) frame.style.aspectRatio = `${width} / ${height}`
  frame.append(picture)
  figure.append(frame)
  const file: unknown = element.getAttribute('file')
  const fail = () => {
    const failure = make('div', 'doc-image-failure')
    failure.textContent = words('editor.image.missing')
    frame.append(failure)
  }
  if (typeof file !== 'string') fail()
  else pictures.address(file).then((address) => (picture.src = address), fail)
  return figure
}

/** Draws the fragment's blocks. */
export function drawFragment(fragment: Shared, painter: Painter): DocumentFragment {
  const drawn = document.createDocumentFragment()
  for (const child of childrenOf(fragment)) drawn.append(drawChild(child, painter, 0))
  return drawn
}

function drawChild(child: SharedChild, painter: Painter, depth: number): globalThis.Node {
  if (child instanceof Y.XmlText) return drawText(child)
  if (!(child instanceof Y.XmlElement)) return document.createTextNode('')
  const inside = (into: HTMLElement) => {
    if (depth < DEEPEST) for (const inner of childrenOf(child)) into.append(drawChild(inner, painter, depth + 1))
    return into
  }
  const draw = NODES[child.nodeName]
  const made = draw === undefined ? inside(make('div', 'doc-foreign')) : draw(child, inside, painter)
  const id: unknown = child.getAttribute('id')
  if (typeof id === 'string' && child.nodeName !== 'mention') made.dataset['id'] = id
  return made
}

function drawText(text: Y.XmlText): DocumentFragment {
  const drawn = document.createDocumentFragment()
  for (const { insert, attributes = {} } of text.toDelta() as { insert: unknown; attributes?: Record<string, unknown> }[]) {
    if (typeof insert !== 'string') continue
    let node: globalThis.Node = document.createTextNode(insert)
    for (const [key, value] of Object.entries(attributes)) {
      const wrapper = wrap(key.replace(/--[a-zA-Z0-9+/=]{8}$/, ''), value)
      if (wrapper === null) continue
      wrapper.append(node)
      node = wrapper
    }
    drawn.append(node)
  }
  return drawn
}

function wrap(name: string, value: unknown): HTMLElement | null {
  if (name === 'link') {
    const href = safeLink(String((value as { href?: unknown } | null)?.href ?? ''))
    if (href === null) return null
    const link = document.createElement('a')
    link.href = href
    link.rel = 'noopener noreferrer nofollow'
    link.target = '_blank'
    return link
  }
  const tag = MARKS[name]
  if (tag === undefined) return null
  const made = make(tag)
  const color = (value as { color?: unknown } | null)?.color
  if (name === 'highlight' && typeof color === 'string') made.dataset['color'] = color
  return made
}

/** Draws `doc` as it is, and again, when nobody types, after it changed. */
export function createViewer(options: ViewerOptions): ViewerHandle {
  const fragment = options.doc.getXmlFragment(options.fragment ?? 'default')
  const dom = make('div', 'doc-text is-viewer')
  const painter = { images: images(options.image), words: options.words }
  dom.tabIndex = 0
  dom.setAttribute('role', 'document')
  if (options.label !== undefined) dom.setAttribute('aria-label', options.label)
  options.element.append(dom)
  const draw = () => dom.replaceChildren(drawFragment(fragment, painter))
  const later = whenIdle(draw)
  const changed = () => later.soon()
  fragment.observeDeep(changed)
  draw()
  return {
    dom,
    draw,
    destroy() {
      later.stop()
      fragment.unobserveDeep(changed)
      dom.remove()
    },
  }
}
