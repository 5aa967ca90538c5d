// Documents as people leave them behind: what the producers of this folder are fed with.
import * as Y from 'yjs'

/** A document, and each change to it as one update. */
export function written (work, client = 1000) {
  const doc = new Y.Doc()
  doc.clientID = client
  const updates = []
  doc.on('update', update => updates.push(update))
  work(doc)
  return { doc, updates }
}

/** Roots of every kind, with deletions, formats and an emoji. */
export function ofAllKinds (doc) {
  const text = doc.getText('text')
  text.insert(0, 'Hello, wörld 🙂')
  text.format(0, 5, { bold: true })
  text.delete(5, 1)
  const map = doc.getMap('map')
  map.set('answer', 42)
  map.set('list', ['a', 1.5, null, { deep: true }])
  map.set('answer', 43)
  const list = new Y.Array()
  map.set('inner', list)
  list.push(['x', 'y', 'z'])
  list.delete(1)
  doc.getArray('array').push([1, 'two', new Uint8Array([3, 4])])
}

const element = (name, attributes, children = []) => {
  const made = new Y.XmlElement(name)
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value)
  made.insert(0, children)
  return made
}

const text = (...runs) => {
  const made = new Y.XmlText()
  made.applyDelta(runs.map(([insert, attributes = {}]) => ({ insert, attributes })))
  return made
}

/** What Tiptap's starter kit keeps, with nodes and marks that our documents do not know. */
export function ofTiptap (doc) {
  doc.getXmlFragment('default').insert(0, [
    element('heading', { level: 1, textAlign: 'left' }, [text(['Minutes'])]),
    element('paragraph', {}, [
      text(['We met ', {}], ['today', { bold: {}, italic: {} }], [' at ', {}],
        ['the office', { link: { href: 'https://example.org/', target: '_blank' } }],
        [' and it was ', {}], ['loud', { textStyle: { color: '#f00' } }])
    ]),
    element('bulletList', {}, [
      element('listItem', {}, [element('paragraph', {}, [text(['first'])])]),
      element('listItem', {}, [element('paragraph', {}, [text(['second'])])])
    ]),
    element('codeBlock', { language: 'js' }, [text(['let a = 1\nlet b = 2'])]),
    element('image', { src: 'https://example.org/a.png', alt: 'a cat' }),
    element('youtube', { src: 'https://example.org/v' }),
    element('callout', { kind: 'warning' }, [element('paragraph', {}, [text(['mind the gap'])])]),
    element('horizontalRule', {})
  ])
}

/** What prosemirror-schema-basic keeps under the name of y-prosemirror's examples. */
export function ofProseMirror (doc) {
  doc.getXmlFragment('prosemirror').insert(0, [
    element('heading', { level: 2 }, [text(['Basic'])]),
    element('bullet_list', {}, [
      element('list_item', {}, [
        element('paragraph', {}, [text(['strong', { strong: {} }], [' and '], ['soft', { em: {} }])])
      ])
    ]),
    element('code_block', {}, [text(['x = 1'])])
  ])
}
