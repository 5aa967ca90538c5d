// Small makers of DOM for the floating surfaces.

export type Child = HTMLElement | SVGElement | string

export interface Properties {
  class?: string
  role?: string
  title?: string
  type?: string
  id?: string
  [name: `aria-${string}` | `data-${string}`]: string | undefined
}

export function make<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  properties: Properties = {},
  ...children: Child[]
): HTMLElementTagNameMap[K] {
  const element = document.createElement(tag)
  for (const [name, value] of Object.entries(properties)) if (value !== undefined) element.setAttribute(name, value)
  element.append(...children)
  return element
}

/** A button that leaves the focus and the selection in the text. */
export function button(label: string, content: Child, act: () => void, properties: Properties = {}): HTMLButtonElement {
  const made = make('button', { type: 'button', title: label, 'aria-label': label, ...properties }, sign(label, content))
  made.addEventListener('mousedown', (event) => event.preventDefault())
  made.addEventListener('click', act)
  return made
}

/** A sign that is not the button's name is for the eyes only: the style sheet draws it. */
function sign(label: string, content: Child): Child {
  return typeof content === 'string' && content !== label ? make('span', { 'aria-hidden': 'true', 'data-sign': content }) : content
}

const PATHS: Record<string, string> = {
  link: 'M10 14a4 4 0 0 0 5.7 0l3-3A4 4 0 0 0 13 5.300l-1 1M14 10a4 4 0 0 0-5.700 0l-3 3A4 4 0 0 0 11 18.700l1-1',
  comment: 'M5 6h14v9h-8l-4 4v-4H5z',
  open: 'M14 5h5v5M19 5l-8 8M17 14v5H5V7h5',
  remove: 'M6 7h12M10 7V5h4v2M8 7l1 12h6l1-12',
  up: 'M6 14l6-6 6 6',
  down: 'M6 10l6 6 6-6',
  close: 'M6 6l12 12M18 6L6 18',
  marker: 'M6 19h12M9 15l8-9 2 2-9 8z',
  rowBefore: 'M4 13h16v6H4zM12 10V4M9 7h6',
  rowAfter: 'M4 5h16v6H4zM12 14v6M9 17h6',
  columnBefore: 'M13 4h6v16h-6zM10 12H4M7 9v6',
  columnAfter: 'M5 4h6v16H5zM14 12h6M17 9v6',
  deleteRow: 'M4 9h16v6H4zM9 4l6 0M9 20h6',
  deleteColumn: 'M9 4h6v16H9zM4 9v6M20 9v6',
  merge: 'M4 5h16v14H4zM8 12h3M16 12h-3M10 10l2 2-2 2M14 10l-2 2 2 2',
  split: 'M4 5h16v14H4zM12 5v14',
  headerRow: 'M4 5h16v14H4zM4 10h16M5 7.500h14',
  headerColumn: 'M4 5h16v14H4zM9 5v14M6.500 6v12',
}

export function icon(name: string): SVGElement {
  const svg = document.createElementNS('http://www.w3.org/2000/svg', 'svg')
  const path = document.createElementNS('http://www.w3.org/2000/svg', 'path')
  svg.setAttribute('viewBox', '0 0 24 24')
  svg.setAttribute('class', 'doc-icon')
  svg.setAttribute('aria-hidden', 'true')
  path.setAttribute('d', PATHS[name] ?? '')
  svg.append(path)
  return svg
}
