// What the document editor takes and gives: the contract with the panels around it.
import type { Awareness } from 'y-protocols/awareness'
import type * as Y from 'yjs'

/** Says a message in the reader's language; `values` fill its `{name}` places and choose its plural. */
export type Words = (key: string, values?: Record<string, string | number>) => string

/** Somebody who can be mentioned. */
export interface Person {
  id: string
  name: string
  color?: string
  email?: string
}

/** An image as the server keeps it: by its content's hash, measured in pixels. */
export interface UploadedImage {
  hash: string
  width: number
  height: number
}

/** Other documents with images. */
export interface Elsewhere {
  /** What this document is called in others. */
  here: string
  /** An image of the document called `from`; rejects if the reader may not have it. */
  fetch(from: string, hash: string): Promise<Blob>
}

/**
 * Stores an image. Rejects with an `Error` whose message the reader may see.
 * `progress` takes the share sent so far, 0 to 1.
 */
export type Upload = (
  file: File,
  how: { signal: AbortSignal; progress: (share: number) => void },
) => Promise<UploadedImage>

export interface EditorOptions {
  /** Where the editor puts its surface and its floating parts. */
  element: HTMLElement
  doc: Y.Doc
  /** The name of the content's root, `default` unless said otherwise. */
  fragment?: string
  /** Carries `user` and `cursor` of everybody here; null draws no cursors. */
  awareness: Awareness | null
  user: { id: string; name: string; color: string }
  editable: boolean
  words: Words
  upload: Upload
  /** An address for an `img` of a stored image, e.g. an object URL; the editor asks once per hash. */
  image: (hash: string) => Promise<string>
  /** Where images pasted from other documents are had; without it they are not. */
  elsewhere?: Elsewhere
  people: (query: string) => Promise<Person[]>
  onEvent: (event: EditorEvent) => void
  /** The name of the text field for screen readers; the document's title does well. */
  label?: string
  /** The largest image taken, in bytes; 20 MiB unless said otherwise. */
  largestImage?: number
  /** How much of the window's top and bottom lies under bars, in pixels; the cursor keeps out of it. */
  covered?: () => { top: number; bottom: number }
}

/** Where in the text a comment stands; the same form as in the comments part. */
export interface Anchor {
  /** Yjs relative positions, base64. Null when the server made the comment. */
  a: { start: string; end: string } | null
  quote: { text: string; prefix: string; suffix: string }
  /** The id of the block that holds the start. */
  block: string | null
}

export interface CommentMark {
  id: string
  anchor: Anchor
  /** Drawn stronger: its card is open. */
  active?: boolean
}

/**
 * Where a comment was found. `exact`: its positions hold. `repaired`: the text was found again by
 * quote and block, `anchor` is what should be stored now (by somebody who may edit). `lost`: the
 * text is gone; `from` and `to` are null.
 */
export interface CommentPlace {
  id: string
  state: 'exact' | 'repaired' | 'lost'
  from: number | null
  to: number | null
  anchor?: Anchor
  /** Repaired after a change made here: whoever made it knows best, and stores the anchor. */
  own?: boolean
}

export interface Heading {
  id: string | null
  level: number
  text: string
}

export type MarkName =
  | 'bold'
  | 'italic'
  | 'underline'
  | 'strike'
  | 'code'
  | 'subscript'
  | 'superscript'
  | 'highlight'
  | 'link'

export type BlockName =
  | 'paragraph'
  | 'heading1'
  | 'heading2'
  | 'heading3'
  | 'heading4'
  | 'heading5'
  | 'heading6'
  | 'codeBlock'
  | 'image'
  | 'horizontalRule'
  | 'table'
  | 'mixed'

/** What a toolbar shows. A new, frozen object after each change of it. */
export interface EditorState {
  readonly editable: boolean
  readonly focused: boolean
  readonly empty: boolean
  readonly selected: boolean
  readonly block: BlockName
  readonly list: 'bulletList' | 'orderedList' | 'taskList' | null
  readonly quote: boolean
  readonly table: boolean
  readonly marks: ReadonlySet<MarkName>
  readonly align: 'left' | 'center' | 'right' | 'justify' | null
  readonly link: string | null
  readonly highlight: string | null
  readonly canUndo: boolean
  readonly canRedo: boolean
}

export interface Count {
  words: number
  characters: number
  /** Of the selection, null while nothing is selected. */
  selected: { words: number; characters: number } | null
}

export type EditorEvent =
  /** At most one per frame. */
  | { type: 'state'; state: EditorState }
  /** When the browser is idle. */
  | { type: 'count'; count: Count }
  /** When the browser is idle and the headings changed. */
  | { type: 'outline'; outline: readonly Heading[] }
  /** The person changed the content (not: somebody else did). */
  | { type: 'edited' }
  /** A comment's text was clicked; null: the text beside every comment was. */
  | { type: 'comment'; id: string | null }
  /** Where the comments are now; after `setComments`, and when a place was repaired, lost or found. */
  | { type: 'comments'; places: readonly CommentPlace[] }
  /** The selection asks for a comment (bubble menu, Ctrl+Alt+M). */
  | { type: 'comment-wanted'; anchor: Anchor }
  /** Following ended because the person typed, clicked or scrolled, or the other one left. */
  | { type: 'follow'; client: number | null }
  /** The content holds something this version does not know; the editor shows it read-only and changes nothing. */
  | { type: 'foreign'; what: 'node' | 'mark' | 'attribute' | 'content'; name: string }
  /** What was foreign is gone; the editor is bound again. */
  | { type: 'familiar' }
  /** Something was refused: say it to the person; `message` is in the reader's language. */
  | { type: 'refused'; reason: 'paste-too-large' | 'too-deep' | 'too-long' | 'image-too-large' | 'image-type' | 'image-elsewhere' | 'unsafe-link'; message: string }
  /** The person asked for the list of keys (Ctrl+/): `keys()` gives it. */
  | { type: 'help' }

export type TableStep =
  | 'rowBefore'
  | 'rowAfter'
  | 'columnBefore'
  | 'columnAfter'
  | 'deleteRow'
  | 'deleteColumn'
  | 'merge'
  | 'split'
  | 'headerRow'
  | 'headerColumn'
  | 'delete'

/** What buttons do. Each returns whether it could; none throws. */
export interface EditorCommands {
  undo(): boolean
  redo(): boolean
  toggle(mark: Exclude<MarkName, 'link' | 'highlight'>): boolean
  highlight(color: string | null): boolean
  clearMarks(): boolean
  paragraph(): boolean
  heading(level: 1 | 2 | 3 | 4 | 5 | 6): boolean
  list(kind: 'bulletList' | 'orderedList' | 'taskList'): boolean
  indent(): boolean
  outdent(): boolean
  quote(): boolean
  codeBlock(): boolean
  rule(): boolean
  align(side: 'left' | 'center' | 'right' | 'justify'): boolean
  /** Opens the link popover at the selection. */
  editLink(): boolean
  /** Links the selection; null takes the link off. Refuses unsafe schemes. */
  link(href: string | null): boolean
  insertTable(rows?: number, columns?: number): boolean
  table(step: TableStep): boolean
  /** Asks for image files, or takes these. */
  insertImages(files?: readonly File[]): boolean
  /** Types `@`, which opens the list of people. */
  mention(): boolean
  /** Opens find; with `replace` its second field too. */
  find(replace?: boolean): boolean
}

export interface KeyHelp {
  title: string
  keys: { says: string; keys: string[] }[]
}

export interface EditorHandle {
  readonly commands: EditorCommands
  readonly state: EditorState
  readonly count: Count
  readonly outline: readonly Heading[]
  /** The text field, for layout only. */
  readonly dom: HTMLElement
  setEditable(editable: boolean): void
  setLabel(label: string): void
  /** Says the editor's own words again, after a change of language. */
  translate(): void
  focus(where?: 'start' | 'end'): void
  /** An anchor of the selected text; null when nothing is selected. */
  selectionAnchor(): Anchor | null
  setComments(comments: readonly CommentMark[]): void
  /** Where a comment's text is on the screen now; null when it is not found. */
  commentRect(id: string): DOMRect | null
  scrollToComment(id: string): boolean
  scrollToBlock(id: string): boolean
  /** Keeps this client's cursor in view (awareness client id); null ends it. */
  follow(client: number | null): void
  /** Scrolls once to this client's cursor. */
  scrollToPerson(client: number): boolean
  /** The list of keys, in the reader's language. */
  keys(): KeyHelp[]
  destroy(): void
}

export interface ViewerOptions {
  element: HTMLElement
  doc: Y.Doc
  fragment?: string
  words: Words
  image: (hash: string) => Promise<string>
  label?: string
}

/** A read-only view that shows anything and changes nothing, also what the schema does not know. */
export interface ViewerHandle {
  readonly dom: HTMLElement
  /** Draws the document as it is now; `live` viewers do that by themselves. */
  draw(): void
  destroy(): void
}
