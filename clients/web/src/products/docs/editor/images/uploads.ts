// Images on their way to the server: shown here with their progress, shared when they have arrived.
import type { Editor } from '@tiptap/core'
import { NodeSelection, Plugin, PluginKey } from '@tiptap/pm/state'
import { Decoration, DecorationSet, type EditorView } from '@tiptap/pm/view'
import type { EditorEvent, Upload, Words } from '../types'

export const IMAGE_TYPES: ReadonlySet<string> = new Set(['image/png', 'image/jpeg', 'image/gif', 'image/webp'])

const uploadsKey = new PluginKey<DecorationSet>('uploads')

interface Change {
  add?: { id: number; pos: number; dom: HTMLElement }
  remove?: number
}

export interface UploadHooks {
  upload: Upload
  words: () => Words
  /** In bytes. */
  largest: number
  onEvent: (event: EditorEvent) => void
  editor: () => Editor | null
}

export interface Uploads {
  plugin: Plugin<DecorationSet>
  /** Sends these, one after the other, and puts each at `pos` (or after the selection) when it is there. */
  send(files: readonly File[], pos?: number): boolean
  /** Asks for files. */
  choose(): boolean
  destroy(): void
}

export function uploads(hooks: UploadHooks): Uploads {
  const running = new Map<number, AbortController>()
  let last = 0

  const change = (view: EditorView, what: Change) => view.dispatch(view.state.tr.setMeta(uploadsKey, what).setMeta('addToHistory', false))

  const placeOf = (view: EditorView, id: number): number | null =>
    uploadsKey.getState(view.state)?.find(undefined, undefined, (spec) => spec['upload'] === id)[0]?.from ?? null

  const start = (view: EditorView, file: File, pos: number) => {
    last += 1
    const id = last
    const { dom, progress, fail } = card(file, hooks.words(), {
      retry: () => void run(),
      drop: () => {
        running.get(id)?.abort()
        running.delete(id)
        if (!view.isDestroyed) change(view, { remove: id })
      },
    })
    change(view, { add: { id, pos, dom } })
    const run = async () => {
      const stop = new AbortController()
      running.set(id, stop)
      progress(0)
      try {
        const { hash, width, height } = await hooks.upload(file, { signal: stop.signal, progress })
        if (stop.signal.aborted || view.isDestroyed) return
        insert(view, id, { file: hash, alt: '', naturalWidth: width, naturalHeight: height })
        running.delete(id)
      } catch (error) {
        if (!stop.signal.aborted) fail(error instanceof Error ? error.message : String(error))
      }
    }
    void run()
  }

  const insert = (view: EditorView, id: number, attrs: Record<string, unknown>) => {
    const pos = placeOf(view, id)
    if (pos === null) return
    const { tr, schema } = view.state
    const place = tr.doc.resolve(pos)
    const node = schema.nodes['image']!.create(attrs)
    // Between the blocks: before an empty line, after a line with text.
    let at = pos
    if (place.parent.inlineContent) at = place.parent.content.size === 0 ? place.before() : place.after()
    tr.insert(at, node)
    const wasHere = view.state.selection.empty && view.hasFocus()
    if (wasHere && !(view.state.selection instanceof NodeSelection)) tr.setMeta('scrollIntoView', false)
    view.dispatch(tr.setMeta(uploadsKey, { remove: id } satisfies Change))
  }

  return {
    plugin: new Plugin<DecorationSet>({
      key: uploadsKey,
      state: {
        init: () => DecorationSet.empty,
        apply(tr, before) {
          let set = before.map(tr.mapping, tr.doc)
          const what = tr.getMeta(uploadsKey) as Change | undefined
          if (what?.remove !== undefined) set = set.remove(set.find(undefined, undefined, (spec) => spec['upload'] === what.remove))
          if (what?.add !== undefined) {
            const { id, pos, dom } = what.add
            const spec = { upload: id, key: `upload ${id}`, side: 1, stopEvent: () => true, ignoreSelection: true }
            set = set.add(tr.doc, [Decoration.widget(pos, dom, spec)])
          }
          return set
        },
      },
      props: { decorations: (state) => uploadsKey.getState(state) },
    }),
    send(files, pos) {
      const editor = hooks.editor()
      if (editor === null || files.length === 0) return false
      const { view } = editor
      for (const file of files) {
        if (!IMAGE_TYPES.has(file.type)) {
          hooks.onEvent({ type: 'refused', reason: 'image-type', message: hooks.words()('editor.image.type', { name: file.name }) })
        } else if (file.size > hooks.largest) {
          const most = Math.floor(hooks.largest / 1024 / 1024)
          hooks.onEvent({ type: 'refused', reason: 'image-too-large', message: hooks.words()('editor.image.large', { name: file.name, n: most }) })
        } else start(view, file, Math.min(pos ?? view.state.selection.to, view.state.doc.content.size))
      }
      return true
    },
    choose() {
      const place = hooks.editor()?.view.dom.parentElement
      if (place == null) return false
      const input = document.createElement('input')
      input.type = 'file'
      input.hidden = true
      input.accept = [...IMAGE_TYPES].join(',')
      input.multiple = true
      input.addEventListener('change', () => {
        input.remove()
        this.send([...(input.files ?? [])])
      })
      input.addEventListener('cancel', () => input.remove())
      // In the page: browsers may throw away one that is nowhere while the person still looks for a file.
      place.append(input)
      input.click()
      return true
    },
    destroy() {
      for (const stop of running.values()) stop.abort()
      running.clear()
    },
  }
}

/** The card that stands for an image on its way. */
function card(file: File, words: Words, on: { retry: () => void; drop: () => void }) {
  const dom = document.createElement('span')
  dom.className = 'doc-upload'
  dom.contentEditable = 'false'
  const name = document.createElement('span')
  name.className = 'doc-upload-name'
  name.textContent = file.name || words('editor.image')
  const bar = document.createElement('progress')
  bar.max = 1
  bar.setAttribute('aria-label', words('editor.image.sending', { name: name.textContent }))
  const failure = document.createElement('span')
  failure.className = 'doc-upload-failure'
  failure.setAttribute('role', 'alert')
  const button = (key: string, act: () => void) => {
    const made = document.createElement('button')
    made.type = 'button'
    made.textContent = words(key)
    made.addEventListener('click', act)
    return made
  }
  const retry = button('editor.image.retry', on.retry)
  retry.hidden = true
  dom.append(name, bar, failure, retry, button('editor.image.drop', on.drop))
  return {
    dom,
    progress(share: number) {
      bar.hidden = false
      retry.hidden = true
      failure.textContent = ''
      if (share > 0) bar.value = share
      else bar.removeAttribute('value')
    },
    fail(message: string) {
      bar.hidden = true
      retry.hidden = false
      failure.textContent = message
    },
  }
}
