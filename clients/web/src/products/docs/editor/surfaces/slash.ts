// The menu after `/`: what can be put into the text.
import type { EditorCommands, Words } from '../types'
import type { Option } from './listbox'

interface Entry {
  key: string
  /** What people may type besides the label. */
  also: string
  run: (commands: EditorCommands) => void
}

const ENTRIES: readonly Entry[] = [
  { key: 'paragraph', also: 'p plain', run: (commands) => commands.paragraph() },
  { key: 'heading1', also: 'h1 title', run: (commands) => commands.heading(1) },
  { key: 'heading2', also: 'h2', run: (commands) => commands.heading(2) },
  { key: 'heading3', also: 'h3', run: (commands) => commands.heading(3) },
  { key: 'bulletList', also: 'ul', run: (commands) => commands.list('bulletList') },
  { key: 'orderedList', also: 'ol 1', run: (commands) => commands.list('orderedList') },
  { key: 'taskList', also: 'todo', run: (commands) => commands.list('taskList') },
  { key: 'table', also: 'grid', run: (commands) => commands.insertTable() },
  { key: 'image', also: 'picture photo', run: (commands) => commands.insertImages() },
  { key: 'quote', also: 'blockquote', run: (commands) => commands.quote() },
  { key: 'codeBlock', also: 'pre', run: (commands) => commands.codeBlock() },
  { key: 'rule', also: 'hr divider', run: (commands) => commands.rule() },
  { key: 'mention', also: '@', run: (commands) => commands.mention() },
]

/** Letters without accents, in lower case, so that `é` is found by `e`. */
export function fold(text: string): string {
  return text.normalize('NFD').replace(/\p{M}/gu, '').toLowerCase()
}

/** What fits: labels that begin with the query first. */
export function slashOptions(query: string, words: Words, commands: EditorCommands, replace: () => void): Option[] {
  const wanted = fold(query.trim())
  return ENTRIES.map((entry) => {
    const label = words(`editor.slash.${entry.key}`)
    const text = fold(label)
    const rank = text.startsWith(wanted) ? 0 : text.includes(wanted) ? 1 : fold(entry.also).split(' ').some((word) => word.startsWith(wanted)) ? 2 : 3
    return { entry, label, rank }
  })
    .filter(({ rank }) => rank < 3)
    .sort((one, other) => one.rank - other.rank)
    .map(({ entry, label }) => ({
      label,
      hint: words(`editor.slash.${entry.key}.hint`),
      choose: () => {
        replace()
        entry.run(commands)
      },
    }))
}
