// What the palette shows for what was typed: commands that fit, and what the products have found.
import { fit } from './fuzzy'
import type { Command, Found } from './product'

export interface Choice {
  readonly id: string
  readonly label: string
  readonly hint?: string | undefined
  readonly icon?: string | undefined
  readonly keys?: string | undefined
  /** Places of letters that were typed. */
  readonly at: readonly number[]
  run(): void
}

export interface Group {
  readonly name: string
  readonly choices: readonly Choice[]
}

/** How many of a group are shown once something is typed. */
export const SHOWN = 8

/** The commands that fit `query`, by their groups, best first; all if it is blank. `here` is the group of those that name none. */
export function fitting(known: readonly Command[], query: string, here: string): Group[] {
  const isBlank = query.trim() === ''
  const ranked = known.flatMap((command) => {
    const found = fit(query, command.label) ?? (command.words ? fit(query, `${command.label} ${command.words}`) : null)
    return found === null ? [] : [{ command, found }]
  })
  if (!isBlank) ranked.sort((a, b) => b.found.score - a.found.score)
  const groups = new Map<string, Choice[]>()
  for (const { command, found } of ranked) {
    const name = command.group ?? here
    const choices = groups.get(name) ?? []
    if (isBlank || choices.length < SHOWN) choices.push({ ...command, at: found.at })
    groups.set(name, choices)
  }
  return Array.from(groups, ([name, choices]) => ({ name, choices }))
}

/** `groups`, with what the products have found after the first of them, in a group called `name`. */
export function withFound(groups: readonly Group[], found: readonly Found[], query: string, name: string, go: (href: string) => void): readonly Group[] {
  if (found.length === 0) return groups
  const choices = found.map((hit): Choice => ({ ...hit, id: `found.${hit.id}`, at: fit(query, hit.label)?.at ?? [], run: () => go(hit.href) }))
  return [...groups.slice(0, 1), { name, choices }, ...groups.slice(1)]
}
