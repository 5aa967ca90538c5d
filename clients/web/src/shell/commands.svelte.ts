// What can be done here and now: commands of the shell, the products, and the page that is open.
import { untrack } from 'svelte'
import type { Command } from './product'

const sources = $state<{ of: (() => readonly Command[])[] }>({ of: [] })

/** Offers commands as long as `source` is not taken back. */
export function offer(source: () => readonly Command[]): () => void {
  // Whoever offers does not wait for others' offers.
  untrack(() => (sources.of = [...sources.of, source]))
  return () => {
    untrack(() => (sources.of = sources.of.filter((other) => other !== source)))
  }
}

/** In a component: offers commands while it is there. */
export function useCommands(source: () => readonly Command[]): void {
  $effect.pre(() => offer(source))
}

/** Every command, the latest source's first; of several with one id the latest. */
export function commands(): Command[] {
  const found = new Map<string, Command>()
  for (const source of sources.of.toReversed()) {
    for (const command of source()) if (!found.has(command.id)) found.set(command.id, command)
  }
  return [...found.values()]
}
