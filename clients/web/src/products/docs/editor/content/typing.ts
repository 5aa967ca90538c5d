// What typing at the start of a line makes of it: `# ` a heading, `- ` a list, `> ` a quote …
import { Extension, InputRule, textblockTypeInputRule, wrappingInputRule } from '@tiptap/core'
import { canJoin } from '@tiptap/pm/transform'

export const Typing = Extension.create({
  name: 'typing',
  addInputRules() {
    const { heading, bulletList, orderedList, taskList, taskItem, blockquote, codeBlock, horizontalRule } = this.editor.schema.nodes
    if (!heading || !bulletList || !orderedList || !taskList || !taskItem || !blockquote || !codeBlock || !horizontalRule) return []
    const task = wrappingInputRule({ find: /^\s*\[([ xX]?)\]\s$/, type: taskItem, getAttributes: (match) => ({ checked: /x/i.test(match[1] ?? '') }) })
    return [
      ...[1, 2, 3, 4, 5, 6].map((level) =>
        textblockTypeInputRule({ find: new RegExp(`^(#{${level}})\\s$`), type: heading, getAttributes: { level } }),
      ),
      new InputRule({
        find: task.find,
        handler: (typed) => {
          const done = task.handler(typed)
          // It wraps in an item, so it joins no lists.
          const { tr } = typed.state
          const before = typed.range.from - 1
          if (tr.docChanged && tr.doc.resolve(before).nodeBefore?.type === taskList && canJoin(tr.doc, before)) tr.join(before)
          return done
        },
      }),
      wrappingInputRule({ find: /^\s*([-+*])\s$/, type: bulletList }),
      wrappingInputRule({
        find: /^(\d{1,9})[.)]\s$/,
        type: orderedList,
        getAttributes: (match) => ({ start: Number(match[1]) }),
        joinPredicate: (match, node) => node.childCount + Number(node.attrs['start']) === Number(match[1]),
      }),
      wrappingInputRule({ find: /^\s*>\s$/, type: blockquote }),
      textblockTypeInputRule({ find: /^```([\w+#-]*)\s$/, type: codeBlock, getAttributes: (match) => ({ language: match[1] || null }) }),
      new InputRule({
        find: /^(?:---|—-|___\s|\*\*\*\s)$/,
        handler: ({ state, range }) => {
          const place = state.doc.resolve(range.from)
          state.tr.replaceWith(place.before(), place.before(), horizontalRule.create()).delete(
            state.tr.mapping.map(range.from),
            state.tr.mapping.map(range.to),
          )
        },
      }),
    ]
  },
})
