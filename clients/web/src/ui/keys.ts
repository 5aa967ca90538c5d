// Keys as texts: `mod+shift+p`, `?`, `Escape`. How they are shown, and whether an event is them.

import { language } from '@i18n'

export const isApple = /Mac|iPhone|iPad/.test(navigator.platform)

const CAPS: Readonly<Record<string, string>> = isApple
  ? { mod: '⌘', shift: '⇧', alt: '⌥', ctrl: '⌃', Enter: '↩', Backspace: '⌫', ArrowUp: '↑', ArrowDown: '↓', ArrowLeft: '←', ArrowRight: '→', Escape: 'Esc' }
  : { mod: 'Ctrl', shift: 'Shift', alt: 'Alt', ctrl: 'Ctrl', Enter: '↵', Backspace: '⌫', ArrowUp: '↑', ArrowDown: '↓', ArrowLeft: '←', ArrowRight: '→', Escape: 'Esc' }

/** What French keyboards have on them instead. */
const FRENCH: Readonly<Record<string, string>> = isApple ? {} : { shift: 'Maj', Delete: 'Suppr', Escape: 'Échap' }

/** What stands on each key of `keys`. */
export function caps(keys: string): string[] {
  return keys.split('+').map((key) => (language() === 'fr' ? FRENCH[key] : undefined) ?? CAPS[key] ?? (key.length === 1 ? key.toUpperCase() : key))
}

/** Whether `event` is the pressing of `keys`. A sign that needs Shift (`?`) is named by the sign alone. */
export function isKeys(event: KeyboardEvent, keys: string): boolean {
  const parts = keys.split('+')
  const key = parts.at(-1) ?? ''
  const wants = (part: string) => parts.includes(part)
  const [mod, other] = isApple ? [event.metaKey, event.ctrlKey] : [event.ctrlKey, event.metaKey]
  if (mod !== wants('mod') || other !== wants('ctrl') || event.altKey !== wants('alt')) return false
  const isSign = key.length === 1 && !/[a-z0-9]/i.test(key)
  if (!isSign && event.shiftKey !== wants('shift')) return false
  return event.key.toLowerCase() === key.toLowerCase()
}

/** Whether the event's key writes a sign where it happens: then a single key is no command. */
export function isWriting(event: KeyboardEvent): boolean {
  const target = event.target
  if (!(target instanceof HTMLElement)) return false
  return target.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName)
}
