// The document editor: what the panels may import.
//
// `createEditor` binds a text field to a Yjs fragment; `createViewer` only shows one (history,
// documents of a newer version). Their words are in `messages/en.ts` and `messages/fr.ts`,
// their look in `editor.css`.
export { createEditor } from './editor'
export { createViewer } from './viewer'
export type * from './types'
