// The content's marks, as in schema.json, with how they are typed and pasted.
import { Mark, markInputRule } from '@tiptap/core'
import { safeLink } from './links'

interface Look {
  tag: string
  /** How HTML says it. Styles of other programs were turned into tags before (see `paste/clean.ts`). */
  parse: { tag: string }[]
  key: string[]
  typed?: RegExp[]
}

const LOOKS: Record<string, Look> = {
  bold: {
    tag: 'strong',
    parse: [{ tag: 'strong' }, { tag: 'b' }],
    key: ['Mod-b'],
    typed: [/(?:^|\s)(\*\*(?!\s+\*\*)([^*]+)\*\*(?!\s+\*\*))$/, /(?:^|\s)(__(?!\s+__)([^_]+)__(?!\s+__))$/],
  },
  italic: {
    tag: 'em',
    parse: [{ tag: 'em' }, { tag: 'i' }],
    key: ['Mod-i'],
    typed: [/(?:^|\s)(\*(?!\s+\*)([^*]+)\*(?!\s+\*))$/, /(?:^|\s)(_(?!\s+_)([^_]+)_(?!\s+_))$/],
  },
  underline: {
    tag: 'u',
    parse: [{ tag: 'u' }],
    key: ['Mod-u'],
  },
  strike: {
    tag: 's',
    parse: [{ tag: 's' }, { tag: 'del' }, { tag: 'strike' }],
    key: ['Mod-Shift-x'],
    typed: [/(?:^|\s)(~~(?!\s+~~)([^~]+)~~(?!\s+~~))$/],
  },
  subscript: { tag: 'sub', parse: [{ tag: 'sub' }], key: ['Mod-,'] },
  superscript: { tag: 'sup', parse: [{ tag: 'sup' }], key: ['Mod-.'] },
}

const simple = Object.entries(LOOKS).map(([name, { tag, parse, key, typed = [] }]) =>
  Mark.create({
    name,
    parseHTML: () => parse,
    renderHTML: ({ HTMLAttributes }) => [tag, HTMLAttributes, 0],
    addKeyboardShortcuts() {
      return Object.fromEntries(key.map((keys) => [keys, () => this.editor.commands.toggleMark(name)]))
    },
    addInputRules() {
      return typed.map((find) => markInputRule({ find, type: this.type }))
    },
  }),
)

const code = Mark.create({
  name: 'code',
  code: true,
  excludes: 'code',
  exitable: true,
  parseHTML: () => [{ tag: 'code' }, { tag: 'tt' }],
  renderHTML: ({ HTMLAttributes }) => ['code', { spellcheck: 'false', ...HTMLAttributes }, 0],
  addKeyboardShortcuts() {
    return { 'Mod-e': () => this.editor.commands.toggleMark('code') }
  },
  addInputRules() {
    const find = (text: string) => {
      const match = /(?:^|[^`])(`([^`]+)`)$/.exec(text)
      if (match === null) return null
      const [, whole = '', inner = ''] = match
      return { index: text.length - whole.length, text: whole, replaceWith: inner }
    }
    return [markInputRule({ find, type: this.type })]
  },
})

/** The colours of the marker; the schema holds the name, the theme says how it looks. */
export const HIGHLIGHTS = ['yellow', 'green', 'blue', 'pink', 'purple'] as const

const highlight = Mark.create({
  name: 'highlight',
  addAttributes: () => ({
    color: {
      default: null,
      parseHTML: (element) => known(element.getAttribute('data-color')),
      renderHTML: ({ color }) => (known(color) === null ? {} : { 'data-color': color as string }),
    },
  }),
  parseHTML: () => [{ tag: 'mark' }],
  renderHTML: ({ HTMLAttributes }) => ['mark', HTMLAttributes, 0],
  addKeyboardShortcuts() {
    return { 'Mod-Shift-h': () => this.editor.commands.toggleMark('highlight') }
  },
  addInputRules() {
    return [markInputRule({ find: /(?:^|\s)(==(?!\s+==)([^=]+)==(?!\s+==))$/, type: this.type })]
  },
})

function known(color: unknown): string | null {
  return (HIGHLIGHTS as readonly unknown[]).includes(color) ? (color as string) : null
}

const link = Mark.create({
  name: 'link',
  inclusive: false,
  priority: 1000,
  addAttributes: () => ({
    href: {
      default: null,
      parseHTML: (element) => safeLink(element.getAttribute('href') ?? ''),
      // What others wrote is looked at again: it never becomes an address in this page.
      renderHTML: ({ href }) => {
        const address = typeof href === 'string' ? safeLink(href) : null
        return address === null ? {} : { href: address, rel: 'noopener noreferrer nofollow', target: '_blank' }
      },
    },
  }),
  parseHTML: () => [
    { tag: 'a[href]', getAttrs: (element) => (safeLink(element.getAttribute('href') ?? '') === null ? false : null) },
  ],
  renderHTML: ({ HTMLAttributes }) => ['a', HTMLAttributes, 0],
})

/** In the order of the schema file: which mark is drawn outside which. */
export const marks = [link, ...simple.slice(0, 4), code, ...simple.slice(4), highlight]
