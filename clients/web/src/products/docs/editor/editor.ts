// The editor: a TipTap editor bound to a shared fragment, or a read-only view while that is foreign.
import { Editor } from '@tiptap/core'
import type { Node } from '@tiptap/pm/model'
import { Selection } from '@tiptap/pm/state'
import { anchorAt } from '../comments/anchors/anchor'
import { Binding, isRemote } from './binding/binding'
import { Foreign } from './binding/foreign'
import { highlight } from './code/highlight'
import { createCommands } from './commands'
import { LONG, nearness } from './content/near'
import { expectSections, HAS_SECTIONS, sections } from './content/sections'
import { bounds } from './content/bounds'
import { repairIds } from './content/repair'
import { countCharacters, countWords, survey } from './content/survey'
import { extensions } from './extensions'
import { afterPaint, whenIdle } from './idle'
import { fromElsewhere } from './images/elsewhere'
import { images as imageStore } from './images/store'
import { uploads as uploadCards, type Uploads } from './images/uploads'
import { keyHelp } from './help'
import { EMPTY_STATE, isSameState, readState } from './state'
import { surfaces, type Surfaces } from './surfaces/surfaces'
import { comments as commentMarks, type Comments } from './together/comments'
import { cursors, follower } from './together/cursors'
import type { CommentMark, Count, EditorHandle, EditorOptions, Heading, Words } from './types'
import { createViewer } from './viewer'
import './editor.css'

const LARGEST_IMAGE = 20 * 1024 * 1024

/** Everything that lives as long as the fragment is one we know. */
interface Bound {
  editor: Editor
  binding: Binding
  comments: Comments
  uploads: Uploads
  surfaces: Surfaces
}

/** Puts an editor into `options.element`; see `types.ts` for what it takes and gives. */
export function createEditor(options: EditorOptions): EditorHandle {
  const { doc, awareness, elsewhere, onEvent } = options
  const fragment = doc.getXmlFragment(options.fragment ?? 'default')
  const root = document.createElement('div')
  root.className = 'doc-editor'
  options.element.append(root)

  const words: Words = (key, values) => options.words(key, values)
  const pictures = imageStore(options.image)
  let editable = options.editable
  let label = options.label
  let marks: readonly CommentMark[] = []
  let state = EMPTY_STATE
  let count: Count = { words: 0, characters: 0, selected: null }
  let outline: readonly Heading[] = []
  let bound: Bound | null = null
  let unbind: () => void = () => undefined
  let isDestroyed = false

  const commands = createCommands({
    bound: () => bound,
    editLink: () => bound?.surfaces.editLink() ?? false,
    find: (replace) => bound?.surfaces.find(replace) ?? false,
    insertImages: (files) => (files === undefined ? bound?.uploads.choose() : bound?.uploads.send(files)) ?? false,
    unsafeLink: () => onEvent({ type: 'refused', reason: 'unsafe-link', message: words('editor.link.unsafe') }),
  })

  const following = follower(
    () => bound?.editor.view ?? null,
    () => onEvent({ type: 'follow', client: null }),
  )

  const telling = afterPaint(() => {
    if (bound === null) return
    const now = readState(bound.editor, bound.binding)
    if (isSameState(state, now)) return
    state = now
    onEvent({ type: 'state', state })
  })
  const tellStateSoon = () => {
    if (!isDestroyed) telling.soon()
  }

  let surveyed: Node | null = null
  const look = whenIdle(() => {
    if (bound === null) return
    const { doc: shown, selection } = bound.editor.state
    const text = selection.empty ? null : shown.textBetween(selection.from, selection.to, '\n', ' ')
    const selected = text === null ? null : { words: countWords(text), characters: countCharacters(text.replace(/\n/g, '')) }
    const seen = survey(shown)
    const now: Count = { words: seen.words, characters: seen.characters, selected }
    if (JSON.stringify(now) !== JSON.stringify(count)) {
      count = now
      onEvent({ type: 'count', count })
    }
    if (shown === surveyed) return
    surveyed = shown
    if (JSON.stringify(seen.headings) !== JSON.stringify(outline)) {
      outline = seen.headings
      onEvent({ type: 'outline', outline })
    }
    bound.comments.review(bound.editor.view)
    repairIds(bound.binding)
  })

  const askForComment = (): boolean => {
    const anchor = handle.selectionAnchor()
    if (anchor === null) return false
    onEvent({ type: 'comment-wanted', anchor })
    return true
  }

  const attributes = () => ({
    class: 'doc-text',
    role: 'textbox',
    'aria-multiline': 'true',
    'aria-label': label ?? words('editor.label'),
    'aria-readonly': String(!editable),
    spellcheck: 'true',
    translate: 'no',
  })

  const describe = () => bound?.editor.setOptions({ editorProps: { ...bound.editor.options.editorProps, attributes: attributes() } })

  /** Binds; shows the foreign document read-only if it cannot be bound. */
  const begin = () => {
    let binding: Binding | null = null
    let made: Omit<Bound, 'editor' | 'binding'> | null = null
    const text = document.createElement('div')
    root.append(text)
    // The first drawing comes without plugins, and would be laid out at once.
    if (fragment.length >= LONG) {
      if (HAS_SECTIONS) expectSections(text)
      else root.classList.add('is-long')
    }
    try {
      const editor: Editor = new Editor({
        element: { mount: text },
        injectCSS: false,
        editable,
        enableCoreExtensions: { delete: false, textDirection: false },
        enablePasteRules: false,
        extensions: extensions({
          words: () => words,
          images: pictures,
          keys: () => ({ commands, help: () => onEvent({ type: 'help' }), comment: askForComment }),
          pickLanguage: (button, current, chosen) => bound?.surfaces.pickLanguage(button, current, chosen),
          binding: () => binding!.plugin(),
          bounds: () => bounds({ words: () => words, onEvent }),
          plugins: () => [
            nearness(HAS_SECTIONS),
            ...(HAS_SECTIONS ? [sections()] : []),
            highlight(),
            made!.uploads.plugin,
            ...(elsewhere === undefined ? [] : [fromElsewhere({ images: pictures, elsewhere, upload: options.upload, words: () => words, onEvent })]),
            ...made!.comments.plugins,
            ...made!.surfaces.plugins,
            ...(awareness === null ? [] : [cursors(binding!, awareness, words, { moved: (client) => following.moved(client) })]),
          ],
        }),
        editorProps: {
          attributes: attributes(),
          scrollMargin: margins(options),
          scrollThreshold: margins(options),
        },
        onBeforeCreate: ({ editor: fresh }) => {
          binding = new Binding(fragment, fresh.schema, {
            foreign: (error) => becomeForeign(error),
            wrote: () => onEvent({ type: 'edited' }),
            history: tellStateSoon,
          })
          binding.editable = editable
          const uploads = uploadCards({
            upload: options.upload,
            words: () => words,
            largest: options.largestImage ?? LARGEST_IMAGE,
            onEvent,
            editor: () => bound?.editor ?? null,
          })
          made = {
            uploads,
            comments: commentMarks(binding, {
              clicked: (id) => onEvent({ type: 'comment', id }),
              placed: (places) => onEvent({ type: 'comments', places }),
            }),
            surfaces: surfaces({ root, words, people: options.people, commands, binding, uploads, onEvent, comment: askForComment, covered: options.covered ?? (() => ({ top: 0, bottom: 0 })) }),
          }
          fresh.options.content = binding.document as never
        },
        onTransaction: ({ transaction }) => {
          tellStateSoon()
          if (transaction.docChanged || transaction.selectionSet) look.soon()
          if (transaction.docChanged && !isRemote(transaction)) following.follow(null)
        },
        onFocus: tellStateSoon,
        onBlur: tellStateSoon,
      })
      bound = { editor, binding: binding!, ...made! }
      made!.surfaces.attach(editor)
      root.classList.remove('is-long') // `nearness` says it from now on.
      unbind = () => {
        bound = null
        made!.uploads.destroy()
        made!.surfaces.destroy()
        editor.destroy()
        text.remove()
        binding!.destroy()
      }
      if (awareness !== null) awareness.setLocalStateField('user', options.user)
      if (marks.length > 0) made!.comments.set(editor.view, marks)
      tellStateSoon()
      look.soon()
    } catch (error) {
      ;(binding as Binding | null)?.destroy()
      if (!(error instanceof Foreign)) throw error
      root.replaceChildren()
      becomeForeign(error)
    }
  }

  /** Nothing is written from now on; what is there is shown as well as we can. */
  const becomeForeign = (error: Foreign) => {
    if (isDestroyed) return
    unbind()
    const viewer = createViewer({
      element: root,
      doc,
      words,
      image: (hash) => pictures.address(hash),
      ...(options.fragment === undefined ? {} : { fragment: options.fragment }),
      ...(label === undefined ? {} : { label }),
    })
    const again = whenIdle(() => {
      if (isDestroyed) return
      unbind()
      begin()
      if (bound !== null) onEvent({ type: 'familiar' })
    })
    const changed = () => again.soon()
    fragment.observeDeep(changed)
    unbind = () => {
      again.stop()
      fragment.unobserveDeep(changed)
      viewer.destroy()
      unbind = () => undefined
    }
    state = EMPTY_STATE
    onEvent({ type: 'state', state })
    if (told !== error.message) onEvent({ type: 'foreign', what: error.what, name: error.found })
    told = error.message
  }
  let told = ''

  const scrollTo = (pos: number) => {
    if (bound === null) return false
    const { node, offset } = bound.editor.view.domAtPos(pos)
    const found = node instanceof HTMLElement ? (node.childNodes[offset] ?? node) : node
    const element = found instanceof HTMLElement ? found : found.parentElement
    element?.scrollIntoView({ block: 'center' })
    return element !== null
  }

  const handle: EditorHandle = {
    commands,
    get state() {
      return state
    },
    get count() {
      return count
    },
    get outline() {
      return outline
    },
    get dom() {
      return bound?.editor.view.dom ?? root
    },
    setEditable(now) {
      editable = now
      if (bound === null) return
      bound.binding.editable = now
      bound.editor.setEditable(now, false)
      describe()
      if (!now) bound.surfaces.close()
      tellStateSoon()
    },
    setLabel(now) {
      label = now
      describe()
    },
    translate() {
      describe()
      bound?.surfaces.translate()
    },
    focus(where) {
      // Tiptap's own command waits for a frame: what is typed in it would go elsewhere.
      const view = bound?.editor.view
      if (view === undefined) return
      const { doc: shown, tr } = view.state
      if (where !== undefined) view.dispatch(tr.setSelection(where === 'start' ? Selection.atStart(shown) : Selection.atEnd(shown)).scrollIntoView())
      view.focus()
    },
    selectionAnchor() {
      if (bound === null) return null
      const { selection, doc: shown } = bound.editor.state
      return selection.empty ? null : anchorAt(fragment, shown, selection.from, selection.to)
    },
    setComments(now) {
      marks = now
      bound?.comments.set(bound.editor.view, now)
    },
    commentRect(id) {
      if (bound === null) return null
      const range = bound.comments.rangeOf(bound.editor.state, id)
      if (range === null) return null
      const from = bound.editor.view.coordsAtPos(range.from, 1)
      const to = bound.editor.view.coordsAtPos(range.to, -1)
      return new DOMRect(Math.min(from.left, to.left), from.top, Math.abs(to.right - from.left), to.bottom - from.top)
    },
    scrollToComment(id) {
      const range = bound?.comments.rangeOf(bound.editor.state, id) ?? null
      return range !== null && scrollTo(range.from)
    },
    scrollToBlock(id) {
      const element = root.querySelector(`[data-id="${CSS.escape(id)}"]`)
      element?.scrollIntoView({ block: 'start' })
      return element !== null
    },
    follow: (client) => following.follow(client),
    scrollToPerson: (client) => following.scrollTo(client),
    keys: () => keyHelp(words),
    destroy() {
      if (isDestroyed) return
      isDestroyed = true
      telling.stop()
      look.stop()
      following.destroy()
      unbind()
      root.remove()
    },
  }

  begin()
  return handle
}

function margins({ covered }: EditorOptions): { top: number; right: number; bottom: number; left: number } {
  const { top, bottom } = covered?.() ?? { top: 0, bottom: 0 }
  return { top: top + 24, right: 0, bottom: bottom + 24, left: 0 }
}
