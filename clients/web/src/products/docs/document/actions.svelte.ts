// What can be done with an open document: one table, of which the menu and the palette show what they are for.
import { report } from '@shell/refusals'
import type { Command } from '@shell/product'
import { go } from '@shell/router.svelte'
import { bin, comment, copy, download, history, keyboard, move, people, share } from '@ui/icons'
import type { MenuItem } from '@ui/menu'
import { downloadContent, type Format } from '../api'
import { duplicate, putIntoBin } from '../home/actions'
import { fileName, saveFile } from '../titles'
import { t } from '../words'
import { outline } from './icons'
import type { OpenDocument } from './open.svelte'

/** What stands over the page, if anything. */
export type Over = 'none' | 'share' | 'move' | 'keys' | 'history'

/** How the page stands, as far as actions must know. */
export interface Page {
  readonly mayComment: boolean
  readonly isNarrow: boolean
  readonly isOutlineOpen: boolean
  show(over: Over): void
  toggleOutline(): void
  togglePanel(): void
  askForComment(): void
}

interface Action {
  readonly id: string
  readonly label: string
  readonly icon: string
  readonly keys?: string
  readonly danger?: boolean
  readonly checked?: boolean
  /** Actions of one group stand together in the menu. */
  readonly group: 'people' | 'look' | 'export' | 'help' | 'whole'
  readonly in: 'menu' | 'palette' | 'both'
  run(): void
}

const FORMATS: readonly { readonly format: Format; readonly ending: string }[] = [
  { format: 'markdown', ending: 'md' },
  { format: 'html', ending: 'html' },
  { format: 'text', ending: 'txt' },
  { format: 'pdf', ending: 'pdf' },
  { format: 'json', ending: 'json' },
]

export const mayShare = (open: OpenDocument): boolean => open.isMember && open.ended === null && !open.inBin

async function exportAs(open: OpenDocument, format: Format, ending: string): Promise<void> {
  try {
    const response = await downloadContent(open.key, format, undefined, await open.token())
    saveFile(await response.blob(), fileName(open.title, ending))
  } catch (error) {
    report(error, t('export.failed'))
  }
}

/** What may be done now. Reactive. */
function actionsOf(open: OpenDocument, page: Page): Action[] {
  const { document } = open
  const owns = document?.role === 'owner' && open.visit === null
  const shares = open.can('share')
  const whole = open.isMember && document !== null
  const table: readonly (Action & { readonly when: boolean })[] = [
    { when: page.mayComment, id: 'comment', label: t('comment.new'), icon: comment, keys: 'mod+alt+m', group: 'people', in: 'palette', run: () => page.askForComment() },
    { when: true, id: 'comments', label: t('comment.panel'), icon: comment, group: 'people', in: 'palette', run: () => page.togglePanel() },
    // On a phone the bar has no room for the button.
    { when: mayShare(open), id: 'share', label: shares ? t('share.button') : t('share.see'), icon: shares ? share : people, group: 'people', in: page.isNarrow ? 'both' : 'palette', run: () => page.show('share') },
    { when: open.can('history'), id: 'history', label: t('history.title'), icon: history, group: 'look', in: 'both', run: () => page.show('history') },
    { when: true, id: 'outline', label: t('outline.label'), icon: outline, checked: page.isOutlineOpen, group: 'look', in: 'menu', run: () => page.toggleOutline() },
    ...FORMATS.map(({ format, ending }) => ({ when: true, id: `export.${format}`, label: t(`export.${format}`), icon: download, group: 'export', in: 'both', run: () => void exportAs(open, format, ending) }) as const),
    { when: true, id: 'keys', label: t('toolbar.keys'), icon: keyboard, keys: 'mod+/', group: 'help', in: 'menu', run: () => page.show('keys') },
    { when: whole, id: 'duplicate', label: t('duplicate'), icon: copy, group: 'whole', in: 'menu', run: () => void (document && duplicate(document)) },
    { when: whole && owns, id: 'move', label: t('move'), icon: move, group: 'whole', in: 'menu', run: () => page.show('move') },
    { when: whole && owns, id: 'bin', label: t('bin.put'), icon: bin, danger: true, group: 'whole', in: 'menu', run: () => void toBin(open) },
  ]
  return table.filter(({ when }) => when)
}

async function toBin(open: OpenDocument): Promise<void> {
  if (open.document !== null && (await putIntoBin(open.document))) go('/docs')
}

/** The menu: its groups, with lines between. Reactive. */
export function menuOf(open: OpenDocument, page: Page): MenuItem[] {
  const actions = actionsOf(open, page).filter((action) => action.in !== 'palette')
  return actions.flatMap((action, at) => (at > 0 && actions[at - 1]?.group !== action.group ? ['line', action] : [action]))
}

/** The same for the palette. Reactive. */
export function commandsOf(open: OpenDocument, page: Page): Command[] {
  const group = t('palette.here')
  return actionsOf(open, page).flatMap(({ id, label, icon, keys, run, in: where }) => (where === 'menu' ? [] : [{ id: `docs.${id}`, label, group, icon, run, ...(keys === undefined ? {} : { keys }) }]))
}
