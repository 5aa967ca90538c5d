// The text on the page: bound to the shared document where that is possible, else only shown.
import { onLanguage } from '@i18n'
import { toasts } from '@ui/toasts.svelte'
import { untrack } from 'svelte'
import { fetchFile, mentionable, uploadFile } from '../api'
import type { Comments } from '../comments/threads.svelte'
import { createEditor, createViewer } from '../editor'
import type { Anchor, Count, EditorEvent, EditorHandle, EditorOptions, EditorState, Heading } from '../editor'
import { t } from '../words'
import type { OpenDocument } from './open.svelte'
import { whyNoImage } from './images'

export interface SurfaceOptions {
  /** What screen readers call the text. Reactive. */
  readonly label: () => string
  readonly covered: NonNullable<EditorOptions['covered']>
  /** A comment's words were clicked; null: words beside every comment. */
  readonly oncomment: (thread: string | null) => void
  /** The selection is to be commented on. */
  readonly oncommentwanted: (anchor: Anchor) => void
  /** The places of comments were found, or found anew. */
  readonly onplaces: () => void
  /** The list of keys is asked for. */
  readonly onhelp: () => void
}

/** The product's own words serve the editor too. */
export const words = ((name: string, slots?: Record<string, string | number>) => t(name as never, slots)) as never

/** To be made where a component begins: it lives as long. */
export class Surface {
  /** Where the text is to stand; null: nothing is shown yet. */
  element = $state<HTMLElement | null>(null)
  editor = $state.raw<EditorHandle | null>(null)
  /** What is at the cursor, for the bar of tools. */
  text = $state.raw<EditorState | null>(null)
  outline = $state.raw<readonly Heading[]>([])
  count = $state.raw<Count | null>(null)
  /** What of the content this version does not know; null: all is known. */
  foreign = $state<string | null>(null)
  /** The client whose cursor is kept in sight. */
  following = $state<number | null>(null)
  readonly #open: OpenDocument
  readonly #comments: Comments
  readonly #options: SurfaceOptions
  readonly editable = $derived.by(() => this.#open.writable && this.#open.schemaMatches && this.foreign === null && this.#open.refused === null)

  constructor(open: OpenDocument, comments: Comments, options: SurfaceOptions) {
    this.#open = open
    this.#comments = comments
    this.#options = options
    $effect(() => {
      const { element } = this
      const { doc, content, schemaMatches } = open
      if (element === null || doc === null || content === null) return
      return untrack(() => (schemaMatches ? this.#bind(element) : this.#show(element)))
    })
    $effect(() => this.editor?.setEditable(this.editable))
    $effect(() => this.editor?.setLabel(options.label()))
    $effect(() => onLanguage(() => this.editor?.translate()))
    $effect(() => this.editor?.setComments(this.#marks()))
  }

  follow(client: number): void {
    this.editor?.follow(client)
    this.following = client
  }

  #bind(element: HTMLElement): (() => void) | undefined {
    const { key, doc, content, self, token } = this.#open
    if (doc === null || content === null) return undefined
    this.foreign = null
    const editor = createEditor({
      element, doc, awareness: content.awareness, user: self, editable: this.editable, words, label: this.#options.label(),
      upload: async (file, { signal }) => uploadFile(key, file, signal, await token()).catch((error: unknown) => Promise.reject(new Error(whyNoImage(error)))),
      image: (hash) => this.#open.images.url(hash),
      elsewhere: { here: key, fetch: async (from, hash) => (await fetchFile(from, hash)).blob() },
      people: async (query) => mentionable(key, query, await token()).then((people) => [...people]),
      // The editor answers at once, also in the middle of an effect.
      onEvent: (event) => untrack(() => this.#on(event)),
      covered: this.#options.covered,
    })
    this.editor = editor
    this.text = editor.state
    return () => {
      editor.destroy()
      this.editor = null
      this.text = null
    }
  }

  #show(element: HTMLElement): (() => void) | undefined {
    const { doc, images } = this.#open
    if (doc === null) return undefined
    this.foreign = null
    const viewer = createViewer({ element, doc, words, image: images.url, label: this.#options.label() })
    return () => viewer.destroy()
  }

  /** The words that are commented on: of open threads, of the chosen one, and of what is being written. */
  #marks() {
    const { threads, active, draft } = this.#comments
    const shown = threads.filter((thread) => thread.resolved === null || thread.id === active)
    const marks = shown.map(({ id, anchor }) => ({ id, anchor, active: id === active }))
    return draft === null ? marks : [...marks, { id: 'draft', anchor: draft, active: true }]
  }

  #on(event: EditorEvent): void {
    switch (event.type) {
      case 'state':
        this.text = event.state
        break
      case 'count':
        this.count = event.count
        break
      case 'outline':
        this.outline = event.outline
        break
      case 'comment':
        this.#options.oncomment(event.id)
        break
      case 'comments':
        this.#comments.places = new Map(event.places.map((each) => [each.id, each]))
        this.#options.onplaces()
        break
      case 'comment-wanted':
        this.#options.oncommentwanted(event.anchor)
        break
      case 'follow':
        this.following = event.client
        break
      case 'foreign':
        this.foreign = event.name
        break
      case 'familiar':
        this.foreign = null
        break
      case 'refused':
        toasts.error(event.message)
        break
      case 'help':
        this.#options.onhelp()
        break
      default:
    }
  }
}
