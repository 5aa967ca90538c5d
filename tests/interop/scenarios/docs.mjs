// Stock clients in a document: they show no schema, so they look and cannot write, whoever they are.
import * as Y from 'yjs'
import { until } from '../bell.mjs'
import { open } from '../clients.mjs'

const shown = (client) => client.doc.getXmlFragment('default').toString()

/** A witness sees this client's awareness: on one socket the server takes messages in order, so what came before was judged. */
async function judged(client, witness) {
  client.awareness.setLocalState({ note: 'after it all' })
  await until('the updates to be judged', () => witness.awareness.getStates().get(client.doc.clientID)?.note === 'after it all')
}

/** What somebody who comes now is shown. */
async function late(url, room, proof) {
  const client = open('hocuspocus-4', url, room, proof)
  await client.ready()
  const content = shown(client)
  client.destroy()
  return content
}

/**
 * A client of `kind` writes nonsense into the content and takes what is there away. Asks for `write`:
 * somebody with the right schema writes a paragraph, `And more.` `proof` says who they are: a `token`, or
 * a `cookie` and an `origin` as a browser has them.
 */
export async function nonsense({ url, room, kind, proof, ask }) {
  const witness = open('hocuspocus-4', url, room, proof)
  await witness.ready()
  const client = open(kind, url, room, proof)
  await client.ready()
  await until('the document', () => shown(client).includes('Known words.'))
  const before = shown(witness)
  const same = shown(client) === before

  const content = client.doc.getXmlFragment('default')
  content.insert(0, [new Y.XmlElement('hologram'), new Y.XmlText('loose words')])
  client.doc.getMap('default2').set('x', new Uint8Array(100))
  content.get(2).setAttribute('onclick', 'alert(1)')
  content.delete(1, content.length - 1)
  await judged(client, witness)

  await ask('write')
  await until('the witness to read on', () => shown(witness).includes('And more.'))
  await until('the client to read on', () => shown(client).includes('And more.'))
  const after = await late(url, room, proof)
  return {
    same,
    untouched: shown(witness) === after && after.startsWith(before) && !after.includes('hologram'),
    sockets: [client.record.attempts, witness.record.attempts],
    closes: [...client.record.closes, ...witness.record.closes],
    claims_saved: client.isSaved,
    scope: client.provider.authorizedScope ?? null,
  }
}

/** Tiptap as it comes, with its own collaboration, which deletes what its schema does not know. */
export async function stock_tiptap({ url, room, proof, ask }) {
  const { JSDOM } = await import('jsdom')
  const { window } = new JSDOM('<!doctype html><body></body>', { pretendToBeVisual: true, url })
  for (const name of Object.getOwnPropertyNames(window)) if (!(name in globalThis)) globalThis[name] = window[name]
  const [{ Editor }, { default: StarterKit }, { default: Collaboration }] = await Promise.all([import('@tiptap/core'), import('@tiptap/starter-kit'), import('@tiptap/extension-collaboration')])
  const witness = open('hocuspocus-4', url, room, proof)
  await witness.ready()
  const before = shown(witness)
  const client = open('hocuspocus-4', url, room, proof)
  await client.ready()
  const editor = new Editor({
    element: document.body.appendChild(document.createElement('div')),
    extensions: [StarterKit.configure({ undoRedo: false }), Collaboration.configure({ document: client.doc, field: 'default' })],
  })
  await until('the editor to show it', () => editor.getText().includes('Known words.'))
  const deletes = !shown(client).includes('<table')
  editor.commands.insertContentAt(0, 'Typed in vain.')
  await judged(client, witness)
  await ask('write')
  await until('the editor to read on', () => editor.getText().includes('And more.'))
  const after = await late(url, room, proof)
  editor.destroy()
  return {
    // Else this proves nothing.
    deletes,
    untouched: after.startsWith(before) && after.includes('<table') && !after.includes('in vain'),
    sockets: client.record.attempts,
    closes: client.record.closes,
    claims_saved: client.isSaved,
  }
}
