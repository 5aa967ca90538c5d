// "Saved" is said after the commit: while the store stands still, people work on and see "unsaved".
import { until } from '../bell.mjs'
import { open } from '../clients.mjs'
import { add } from '../content.mjs'

/**
 * Each of `kinds` writes while the store stands still. Asks for `stall` and `flow`.
 * Returns which of them claimed to be saved before the store went on, and after it did.
 */
export async function saved_after_the_commit({ url, room, kinds, ask }) {
  const clients = kinds.map((kind) => open(kind, url, room))
  await Promise.all(clients.map((client) => client.ready()))
  clients.forEach(({ doc }, index) => add(doc, `before ${index}; `))
  await Promise.all(clients.map((client) => client.saved()))

  await ask('stall')
  clients.forEach(({ doc }, index) => add(doc, `during ${index}; `))
  const seenByAll = () => clients.every(({ doc }) => kinds.every((_, index) => doc.getText('text').toString().includes(`during ${index}; `)))
  await until('everyone to see what is not saved yet', seenByAll)
  // Ten times there and back for everyone: whatever was to be said too early would be here by now.
  for (let turn = 1; turn <= 10; turn += 1) {
    clients.forEach(({ awareness }) => awareness.setLocalState({ turn }))
    await until(`turn ${turn}`, () => clients.every(({ awareness }) => [...awareness.getStates().values()].filter((state) => state.turn === turn).length === clients.length))
  }
  const early = clients.filter(({ isSaved }) => isSaved).map(({ kind }) => kind)
  await ask('flow')
  await Promise.all(clients.map((client) => client.saved()))
  return { early, late: clients.filter(({ isSaved }) => isSaved).map(({ kind }) => kind) }
}
