// Images copied from another document: it keeps them, so they are fetched there and stored with this one.
import { DOMSerializer, type Fragment } from '@tiptap/pm/model'
import { Plugin, PluginKey } from '@tiptap/pm/state'
import { inertBody } from '../paste/clean'
import type { EditorEvent, Elsewhere, Upload, Words } from '../types'
import type { Images } from './store'

export interface ElsewhereHooks {
  images: Images
  elsewhere: Elsewhere
  upload: Upload
  words: () => Words
  onEvent: (event: EditorEvent) => void
}

/** Says in what is copied which document its images are of, and brings along those of what is pasted. */
export function fromElsewhere(hooks: ElsewhereHooks): Plugin {
  const { images, elsewhere } = hooks
  const expectIn = (data: DataTransfer | null) => {
    for (const [hash, from] of namedIn(data?.getData('text/html') ?? '')) {
      if (from !== elsewhere.here) images.expect(hash, () => bring(from, hash, hooks))
    }
  }
  return new Plugin({
    key: new PluginKey('elsewhere'),
    props: {
      clipboardSerializer: new Naming(elsewhere.here),
      // The pasting itself is for others.
      handlePaste: (view, event) => (view.editable && expectIn(event.clipboardData), false),
      handleDrop: (view, event, _, moved) => (view.editable && !moved && expectIn(event.dataTransfer), false),
    },
  })
}

async function bring(from: string, hash: string, { elsewhere, upload, words, onEvent }: ElsewhereHooks): Promise<void> {
  try {
    const content = await elsewhere.fetch(from, hash)
    const stored = await upload(new File([content], words()('editor.image'), { type: content.type }), { signal: new AbortController().signal, progress: () => undefined })
    if (stored.hash !== hash) throw new Error(`${from} gave another image than ${hash}`)
  } catch (error) {
    onEvent({ type: 'refused', reason: 'image-elsewhere', message: words()('editor.image.elsewhere') })
    throw error
  }
}

/** The images in pasted HTML that say which document they are of, by their hash. */
function namedIn(html: string): Map<string, string> {
  const found = new Map<string, string>()
  if (!html.includes('data-from')) return found
  for (const image of inertBody(html).querySelectorAll('img[data-file][data-from]')) {
    const [hash, from] = ['data-file', 'data-from'].map((name) => image.getAttribute(name) ?? '')
    // They become parts of addresses.
    if (/^\w{1,128}$/.test(hash!) && /^[\w-]{1,128}$/.test(from!)) found.set(hash!, from!)
  }
  return found
}

/** What is copied, as everywhere, and in its images the name of the document. */
class Naming extends DOMSerializer {
  readonly #here: string

  constructor(here: string) {
    super({}, {})
    this.#here = here
  }

  override serializeFragment(fragment: Fragment, options?: { document?: Document }, target?: HTMLElement | DocumentFragment): HTMLElement | DocumentFragment {
    const schema = fragment.firstChild?.type.schema
    const made = schema === undefined ? (target ?? document.createDocumentFragment()) : DOMSerializer.fromSchema(schema).serializeFragment(fragment, options, target)
    for (const image of made.querySelectorAll<HTMLElement>('img[data-file]')) image.dataset['from'] = this.#here
    return made
  }
}
