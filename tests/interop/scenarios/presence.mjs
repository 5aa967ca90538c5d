// Awareness: it appears, changes and disappears, for each client in the eyes of each other.
import { until } from '../bell.mjs'
import { open } from '../clients.mjs'

const NOTES = ['Zoë', '日本語', '🦊 renard', 'ordinary', 'İ', '"quoted\\"']

/** Returns the steps that everyone saw. */
export async function presence({ url, room, kinds }) {
  const clients = kinds.map((kind) => open(kind, url, room))
  await Promise.all(clients.map((client) => client.ready()))
  const seen = []
  const everyoneSees = async (step, present, expected) => {
    await until(
      `everyone to see: ${step}`,
      () => present.every((viewer) => present.every((other) => expected(viewer.awareness.getStates().get(other.doc.clientID), other))),
      () => JSON.stringify(present.map(({ kind, awareness }) => [kind, [...awareness.getStates()]])),
    )
    seen.push(step)
  }

  clients.forEach(({ awareness }, index) => awareness.setLocalState({ note: NOTES[index % NOTES.length], cursor: 0 }))
  const noteOf = (other) => NOTES[clients.indexOf(other) % NOTES.length]
  await everyoneSees('appears', clients, (state, other) => state?.note === noteOf(other) && state.cursor === 0)

  for (const cursor of [1, 2, 3]) {
    clients.forEach(({ awareness }) => awareness.setLocalStateField('cursor', cursor))
  }
  await everyoneSees('changes', clients, (state, other) => state?.note === noteOf(other) && state.cursor === 3)

  const late = open(kinds[0], url, room)
  late.awareness.setLocalState({ note: 'late', cursor: 3 })
  await until('a late joiner to see everyone', () => clients.every(({ doc }) => late.awareness.getStates().get(doc.clientID)?.cursor === 3))
  seen.push('late joiner sees')

  const gone = (viewers, left) => viewers.every(({ awareness }) => !awareness.getStates().has(left.doc.clientID))
  late.destroy()
  await until('the leaver to disappear', () => gone(clients, late))
  seen.push('leaves')

  // The line of the first is cut without a goodbye; it stays away.
  const [lost, ...others] = clients
  const witnesses = others.length > 0 ? others : [open(kinds[0], url, room)]
  await Promise.all(witnesses.map((client) => client.ready()))
  await until('the witness to see it', () => !gone(witnesses, lost))
  lost.provider.shouldConnect = false
  if (lost.socket) lost.socket.shouldConnect = false
  lost.cut()
  await until('the lost one to disappear', () => gone(witnesses, lost))
  seen.push('is lost')
  return { seen }
}
