// The editor's extensions: the schema with its views, and what acts on it.
import { Extension, type Extensions } from '@tiptap/core'
import { dropCursor } from '@tiptap/pm/dropcursor'
import { gapCursor } from '@tiptap/pm/gapcursor'
import type { Plugin } from '@tiptap/pm/state'
import { codeBlockView, type CodeHooks } from './code/view'
import { promptCaret } from './content/caret'
import { filling } from './content/fill'
import { blockIds } from './content/ids'
import { keys, type KeyHooks } from './content/keys'
import { taskItemView } from './content/tasks'
import { Typing } from './content/typing'
import type { Images } from './images/store'
import { imageView } from './images/view'
import { marks } from './schema/marks'
import { nodes, tableRoles } from './schema/nodes'
import { tableView, Tables } from './tables/tables'
import type { Words } from './types'

export interface ExtensionHooks {
  words: () => Words
  images: Images
  keys: () => KeyHooks
  pickLanguage: CodeHooks['pick']
  /** The binding comes first: it must see a change before anybody else. */
  binding: () => Plugin
  /** Next, so that the rest sees nothing that it refuses. */
  bounds: () => Plugin
  plugins: () => Plugin[]
}

export function extensions(hooks: ExtensionHooks): Extensions {
  const views = {
    table: tableView,
    taskItem: taskItemView(hooks.words),
    image: imageView(hooks.images, hooks.words),
    codeBlock: codeBlockView({ words: hooks.words, pick: hooks.pickLanguage }),
  }
  const seen = nodes.map((node) => {
    const view = views[node.name as keyof typeof views] as (typeof views)[keyof typeof views] | undefined
    return view === undefined ? node : node.extend({ addNodeView: () => view })
  })
  return [
    Extension.create({ name: 'binding', priority: 10_000, addProseMirrorPlugins: () => [hooks.binding(), hooks.bounds(), filling(), blockIds(), promptCaret()] }),
    tableRoles,
    ...seen,
    ...marks,
    Typing,
    Tables,
    keys(hooks.keys),
    Extension.create({
      name: 'surroundings',
      addProseMirrorPlugins: () => [dropCursor({ class: 'doc-drop', color: false, width: 2 }), gapCursor(), ...hooks.plugins()],
    }),
  ]
}
