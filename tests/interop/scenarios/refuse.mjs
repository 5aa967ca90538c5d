// Saying no to a stock client: its update, not its socket; its token, without a storm.
import { until } from '../bell.mjs'
import { open } from '../clients.mjs'
import { add, agree } from '../content.mjs'

/**
 * A viewer of `kind` writes although it may not. `tokens` are room tokens: `edit` and `view`.
 * Returns what others saw of it and what became of its socket.
 */
export async function a_viewer_writes({ url, room, kind, tokens }) {
  const editor = open('hocuspocus-4', url, room, { token: tokens.edit })
  // A viewer makes no room: the editor comes first.
  await editor.ready()
  const viewer = open(kind, url, room, { token: tokens.view })
  await viewer.ready()
  add(editor.doc, 'from the editor; ')
  await until('the viewer to read', () => viewer.doc.getText('text').toString().includes('from the editor'))

  add(viewer.doc, 'from the viewer; ')
  // On one socket the server takes messages in order: once this is seen, the update was judged.
  viewer.awareness.setLocalState({ note: 'after the update' })
  await until('the update to be judged', () => editor.awareness.getStates().get(viewer.doc.clientID)?.note === 'after the update')

  add(editor.doc, 'more from the editor; ')
  await editor.saved()
  await until('the viewer to read on', () => viewer.doc.getText('text').toString().includes('more from the editor'))
  const late = open('hocuspocus-3', url, room, { token: tokens.view })
  await late.ready()
  await until('the late joiner to agree with the editor', () => agree([late.doc, editor.doc]))
  return {
    seen_by_others: [editor, late].filter(({ doc }) => doc.getText('text').toString().includes('from the viewer')).length,
    viewer_sockets: viewer.record.attempts,
    viewer_closes: viewer.record.closes,
    claims_saved: viewer.isSaved,
    scope: viewer.provider.authorizedScope ?? null,
  }
}

/**
 * A client of `kind` comes with a token that is none, while another one works.
 * Returns how often it tried until it had been refused and the other had done fifty round trips.
 */
export async function a_wrong_token({ url, room, kind, tokens }) {
  const stubborn = open(kind, url, room, { token: tokens.wrong, stock: true })
  const hocuspocus = kind.startsWith('hocuspocus')
  if (hocuspocus) await until('the refusal', () => stubborn.failures.length > 0)
  else await until('an answer', () => stubborn.record.frames + stubborn.record.closes.length > 0)

  const writer = open('hocuspocus-4', url, room, { token: tokens.edit })
  await writer.ready()
  for (let turn = 0; turn < 50; turn += 1) {
    add(writer.doc, `${turn} `)
    await writer.saved()
  }
  return {
    failures: stubborn.failures ?? [],
    attempts: stubborn.record.attempts,
    opened: stubborn.record.opened,
    // The powers of two that it waits for between its tries.
    backed_off: stubborn.provider.wsUnsuccessfulReconnects ?? null,
    goes_on: stubborn.provider.shouldConnect ?? null,
    saw: stubborn.doc.getText('text').toString(),
  }
}
