// The content's nodes, as in schema.json, with how they are parsed and drawn.
import { Extension, getExtensionField, Node, type Attributes } from '@tiptap/core'
import type { DOMOutputSpec, Node as ProseMirrorNode } from '@tiptap/pm/model'

/** Every block is known by its id; it is not part of pasted or copied HTML except as data. */
const id = {
  default: null,
  keepOnSplit: true,
  parseHTML: (element: HTMLElement) => element.getAttribute('data-id'),
  renderHTML: ({ id }: Record<string, unknown>) => (typeof id === 'string' ? { 'data-id': id } : {}),
}

declare module '@tiptap/core' {
  interface NodeConfig {
    /** What a node is to prosemirror-tables. */
    tableRole?: string
  }
}

/** Lets nodes carry `tableRole`. */
export const tableRoles = Extension.create({
  name: 'tableRoles',
  extendNodeSchema: (extension) => {
    const tableRole = getExtensionField<string | undefined>(extension, 'tableRole')
    return tableRole === undefined ? {} : { tableRole }
  },
})

const SIDES = ['left', 'center', 'right', 'justify']

const textAlign = {
  default: null,
  parseHTML: (element: HTMLElement) => {
    const side = element.style.textAlign || element.getAttribute('align')
    return SIDES.includes(side ?? '') && side !== 'left' ? side : null
  },
  renderHTML: ({ textAlign }: Record<string, unknown>) =>
    SIDES.includes(String(textAlign)) ? { 'data-align': String(textAlign) } : {},
}

const withId = (more: Attributes = {}) => () => ({ id, ...more })
const hidden = (rule: Attributes[string]) => ({ rendered: false, ...rule })

const document = Node.create({ name: 'doc', topNode: true, content: 'block*' })

const text = Node.create({ name: 'text', group: 'inline' })

const paragraph = Node.create({
  name: 'paragraph',
  priority: 1000,
  group: 'block',
  content: 'inline*',
  addAttributes: withId({ textAlign }),
  parseHTML: () => [{ tag: 'p' }],
  renderHTML: ({ HTMLAttributes }) => ['p', { dir: 'auto', ...HTMLAttributes }, 0],
})

const heading = Node.create({
  name: 'heading',
  group: 'block',
  content: 'inline*',
  defining: true,
  addAttributes: withId({ level: hidden({ default: 1 }), textAlign }),
  parseHTML: () => [1, 2, 3, 4, 5, 6].map((level) => ({ tag: `h${level}`, attrs: { level } })),
  renderHTML: ({ node, HTMLAttributes }) => [`h${levelOf(node)}`, { dir: 'auto', ...HTMLAttributes }, 0],
})

/** A heading's level, also where somebody wrote nonsense. */
export function levelOf(node: ProseMirrorNode): number {
  return Math.min(6, Math.max(1, Math.trunc(Number(node.attrs['level'])) || 1))
}

const blockquote = Node.create({
  name: 'blockquote',
  group: 'block',
  content: 'block*',
  defining: true,
  addAttributes: withId(),
  parseHTML: () => [{ tag: 'blockquote' }],
  renderHTML: ({ HTMLAttributes }) => ['blockquote', HTMLAttributes, 0],
})

const codeBlock = Node.create({
  name: 'codeBlock',
  group: 'block',
  content: 'text*',
  marks: '',
  code: true,
  defining: true,
  addAttributes: withId({ language: hidden({ default: null, parseHTML: languageOf }) }),
  parseHTML: () => [{ tag: 'pre', preserveWhitespace: 'full' }],
  renderHTML: ({ node, HTMLAttributes }) => [
    'pre',
    { spellcheck: 'false', dir: 'ltr', ...HTMLAttributes, ...(node.attrs['language'] ? { 'data-language': node.attrs['language'] } : {}) },
    ['code', 0],
  ],
})

function languageOf(element: HTMLElement): string | null {
  const named = element.getAttribute('data-language')
  if (named !== null) return named
  const classes = `${element.className} ${element.firstElementChild?.className ?? ''}`
  return /(?:^|\s)(?:language|lang|highlight-source)-([\w+#-]+)/.exec(classes)?.[1] ?? null
}

const horizontalRule = Node.create({
  name: 'horizontalRule',
  group: 'block',
  addAttributes: withId(),
  parseHTML: () => [{ tag: 'hr' }],
  renderHTML: ({ HTMLAttributes }) => ['div', { ...HTMLAttributes, 'data-rule': '' }, ['hr']],
})

const image = Node.create({
  name: 'image',
  group: 'block',
  draggable: true,
  addAttributes: withId({
    file: hidden({ default: null, parseHTML: (element) => element.getAttribute('data-file') }),
    alt: hidden({ default: '', parseHTML: (element) => element.getAttribute('alt') ?? '' }),
    width: hidden({ default: null, parseHTML: sizeIn('data-width') }),
    naturalWidth: hidden({ default: null, parseHTML: sizeIn('data-natural-width') }),
    naturalHeight: hidden({ default: null, parseHTML: sizeIn('data-natural-height') }),
  }),
  // An image of elsewhere is fetched and stored by the paste, never shown from there.
  parseHTML: () => [{ tag: 'img[data-file]' }],
  renderHTML: ({ node, HTMLAttributes }) => {
    const { file, alt, width, naturalWidth, naturalHeight } = node.attrs
    const data = { 'data-file': file, 'data-width': width, 'data-natural-width': naturalWidth, 'data-natural-height': naturalHeight }
    return ['img', { ...HTMLAttributes, alt: alt ?? '', ...data }]
  },
})

function sizeIn(name: string): (element: HTMLElement) => number | null {
  return (element) => {
    const size = Number(element.getAttribute(name))
    return size > 0 && size < 1e6 ? Math.round(size) : null
  }
}

const bulletList = Node.create({
  name: 'bulletList',
  group: 'block list',
  content: 'listItem*',
  addAttributes: withId(),
  parseHTML: () => [{ tag: 'ul' }],
  renderHTML: ({ HTMLAttributes }) => ['ul', HTMLAttributes, 0],
})

const orderedList = Node.create({
  name: 'orderedList',
  group: 'block list',
  content: 'listItem*',
  addAttributes: withId({
    start: {
      default: 1,
      parseHTML: (element) => Math.trunc(Number(element.getAttribute('start') ?? 1)) || 1,
      renderHTML: ({ start }) => (start === 1 ? {} : { start: Number(start) || 1 }),
    },
  }),
  parseHTML: () => [{ tag: 'ol' }],
  renderHTML: ({ HTMLAttributes }) => ['ol', HTMLAttributes, 0],
})

const listItem = Node.create({
  name: 'listItem',
  content: 'block*',
  defining: true,
  addAttributes: withId(),
  parseHTML: () => [{ tag: 'li' }],
  renderHTML: ({ HTMLAttributes }) => ['li', HTMLAttributes, 0],
})

const taskList = Node.create({
  name: 'taskList',
  group: 'block list',
  content: 'taskItem*',
  addAttributes: withId(),
  parseHTML: () => [{ tag: 'ul[data-tasks]', priority: 60 }],
  renderHTML: ({ HTMLAttributes }) => ['ul', { ...HTMLAttributes, 'data-tasks': '' }, 0],
})

const taskItem = Node.create({
  name: 'taskItem',
  content: 'block*',
  defining: true,
  addAttributes: withId({
    checked: {
      default: false,
      keepOnSplit: false,
      parseHTML: (element) => element.getAttribute('data-checked') === 'true',
      renderHTML: ({ checked }) => ({ 'data-checked': String(checked === true) }),
    },
  }),
  parseHTML: () => [{ tag: 'li[data-checked]', priority: 60 }],
  renderHTML: ({ HTMLAttributes }) => ['li', HTMLAttributes, 0],
})

const table = Node.create({
  name: 'table',
  group: 'block',
  content: 'tableRow*',
  tableRole: 'table',
  isolating: true,
  addAttributes: withId(),
  parseHTML: () => [{ tag: 'table' }],
  renderHTML: ({ HTMLAttributes }) => ['table', HTMLAttributes, ['tbody', 0]],
})

const tableRow = Node.create({
  name: 'tableRow',
  content: '(tableCell | tableHeader)*',
  tableRole: 'row',
  addAttributes: withId(),
  parseHTML: () => [{ tag: 'tr' }],
  renderHTML: ({ HTMLAttributes }) => ['tr', HTMLAttributes, 0],
})

const span = (name: 'colspan' | 'rowspan') => ({
  default: 1,
  parseHTML: (element: HTMLElement) => Math.min(1000, Math.max(1, Math.trunc(Number(element.getAttribute(name) ?? 1)) || 1)),
  renderHTML: (attrs: Record<string, unknown>) => (attrs[name] === 1 ? {} : { [name]: Number(attrs[name]) }),
})

const colwidth = {
  default: null,
  parseHTML: (element: HTMLElement) => {
    const widths = (element.getAttribute('data-colwidth') ?? '').split(',').map(Number)
    const isWhole = widths.every((width) => width > 0 && width < 1e5)
    return isWhole && widths.length === (Number(element.getAttribute('colspan')) || 1) ? widths : null
  },
  renderHTML: ({ colwidth }: Record<string, unknown>) =>
    Array.isArray(colwidth) ? { 'data-colwidth': colwidth.join(',') } : {},
}

const cell = (name: 'tableHeader' | 'tableCell', tag: 'th' | 'td', role: string) =>
  Node.create({
    name,
    content: 'block*',
    tableRole: role,
    isolating: true,
    addAttributes: withId({ colspan: span('colspan'), rowspan: span('rowspan'), colwidth }),
    parseHTML: () => [{ tag }],
    renderHTML: ({ HTMLAttributes }): DOMOutputSpec => [tag, HTMLAttributes, 0],
  })

const hardBreak = Node.create({
  name: 'hardBreak',
  group: 'inline',
  inline: true,
  selectable: false,
  linebreakReplacement: true,
  parseHTML: () => [{ tag: 'br' }],
  renderHTML: () => ['br'],
  renderText: () => '\n',
})

const mention = Node.create({
  name: 'mention',
  group: 'inline',
  inline: true,
  atom: true,
  selectable: false,
  addAttributes: () => ({
    id: hidden({ default: null, parseHTML: (element) => element.getAttribute('data-mention') }),
    label: hidden({ default: '', parseHTML: (element) => (element.textContent ?? '').replace(/^@/, '') }),
  }),
  parseHTML: () => [{ tag: 'span[data-mention]' }],
  renderHTML: ({ node }) => [
    'span',
    { class: 'mention', 'data-mention': String(node.attrs['id'] ?? '') },
    `@${String(node.attrs['label'] ?? '')}`,
  ],
  renderText: ({ node }) => `@${String(node.attrs['label'] ?? '')}`,
})

/** In the order of the schema file. */
export const nodes = [
  document,
  paragraph,
  heading,
  blockquote,
  codeBlock,
  horizontalRule,
  image,
  bulletList,
  orderedList,
  listItem,
  taskList,
  taskItem,
  table,
  tableRow,
  cell('tableHeader', 'th', 'header_cell'),
  cell('tableCell', 'td', 'cell'),
  text,
  hardBreak,
  mention,
]
