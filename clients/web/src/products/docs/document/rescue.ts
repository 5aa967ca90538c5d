// Keeping what somebody wrote when the document does not take it: as text, as a file, as a new document.
import * as Y from 'yjs'
import { api } from '@shell/api'
import type { Doc } from '../api'
import { createViewer, type Words } from '../editor'
import { fileName, saveFile } from '../titles'

/** The content of a document as HTML and as plain text, as it is shown. Images keep their alternative text. */
export function contentOf(doc: Y.Doc, words: Words): { html: string; text: string } {
  const element = document.createElement('div')
  element.className = 'unseen'
  document.body.append(element)
  const viewer = createViewer({ element, doc, words, image: () => Promise.reject(new Error('no images here')) })
  try {
    return { html: viewer.dom.innerHTML, text: viewer.dom.innerText }
  } finally {
    viewer.destroy()
    element.remove()
  }
}

/** A document made of one update. */
export function docOf(update: Uint8Array): Y.Doc {
  const doc = new Y.Doc()
  Y.applyUpdate(doc, update)
  return doc
}

/** Saves what is in `doc` as an HTML file. */
export function saveCopy(doc: Y.Doc, title: string, words: Words): void {
  const { html } = contentOf(doc, words)
  const escaped = title.replaceAll('&', '&amp;').replaceAll('<', '&lt;')
  const page = `<!doctype html><meta charset="utf-8"><title>${escaped}</title><h1>${escaped}</h1>\n${html}\n`
  saveFile(new Blob([page], { type: 'text/html' }), fileName(title, 'html'))
}

/** Makes a new document of what is in `doc`. Throws `Refusal`. */
export async function keepAsNew(doc: Y.Doc, title: string, words: Words): Promise<Doc> {
  const { html } = contentOf(doc, words)
  return (await api.post<{ document: Doc }>('docs/documents', { title, format: 'html', content: html })).document
}
