// The list of keys, as people read it.
import type { KeyHelp, Words } from './types'

const isApple = typeof navigator !== 'undefined' && /Mac|iP(hone|ad|od)/.test(navigator.platform)

const GROUPS: readonly [string, readonly [string, string][]][] = [
  [
    'text',
    [
      ['mark.bold', 'Mod-B'],
      ['mark.italic', 'Mod-I'],
      ['mark.underline', 'Mod-U'],
      ['mark.strike', 'Mod-Shift-X'],
      ['mark.code', 'Mod-E'],
      ['mark.highlight', 'Mod-Shift-H'],
      ['mark.subscript', 'Mod-,'],
      ['mark.superscript', 'Mod-.'],
      ['link.edit', 'Mod-K'],
      ['keys.clear', 'Mod-\\'],
    ],
  ],
  [
    'blocks',
    [
      ['slash.paragraph', 'Mod-Alt-0'],
      ['keys.heading', 'Mod-Alt-1…6'],
      ['slash.orderedList', 'Mod-Shift-7'],
      ['slash.bulletList', 'Mod-Shift-8'],
      ['slash.taskList', 'Mod-Shift-9'],
      ['slash.quote', 'Mod-Shift-B'],
      ['slash.codeBlock', 'Mod-Alt-C'],
      ['keys.break', 'Shift-Enter'],
      ['keys.tick', 'Mod-Enter'],
      ['keys.indent', 'Tab'],
      ['keys.outdent', 'Shift-Tab'],
      ['keys.leave', 'Escape Tab'],
      ['align.left', 'Mod-Shift-L'],
      ['align.center', 'Mod-Shift-E'],
      ['align.right', 'Mod-Shift-R'],
    ],
  ],
  [
    'doing',
    [
      ['keys.undo', 'Mod-Z'],
      ['keys.redo', 'Mod-Shift-Z'],
      ['find', 'Mod-F'],
      ['find.replace', 'Mod-Alt-F'],
      ['comment', 'Mod-Alt-M'],
      ['keys.plain', 'Mod-Shift-V'],
      ['keys.tools', 'Alt-F10'],
      ['slash', '/'],
      ['mention', '@'],
      ['keys.help', 'Mod-/'],
    ],
  ],
]

const APPLE: Record<string, string> = { Mod: '⌘', Alt: '⌥', Shift: '⇧' }
const OTHERS: Record<string, string> = { Mod: 'Ctrl', Alt: 'Alt', Shift: 'Shift' }

export function keyHelp(words: Words): KeyHelp[] {
  const names = isApple ? APPLE : OTHERS
  return GROUPS.map(([group, entries]) => ({
    title: words(`editor.keys.${group}`),
    keys: entries.map(([says, combination]) => ({
      says: words(`editor.${says}`),
      keys: combination.split(/[- ](?=.)/).map((key) => names[key] ?? key),
    })),
  }))
}
