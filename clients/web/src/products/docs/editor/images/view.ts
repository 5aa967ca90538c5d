// An image in the text: its picture, its handles, and its failure with a way to try again.
import type { NodeViewRendererProps } from '@tiptap/core'
import type { Node } from '@tiptap/pm/model'
import type { NodeView } from '@tiptap/pm/view'
import { blockView } from '../content/block'
import type { Words } from '../types'
import type { Images } from './store'

const LEAST = 48
const STEP = 10
const LEAP = 50

export function imageView(images: Images, words: () => Words) {
  return ({ node, view, getPos }: NodeViewRendererProps): NodeView => {
    /** Undefined: nothing is drawn yet. */
    let hash: string | null | undefined
    const dom = document.createElement('figure')
    const frame = document.createElement('div')
    const picture = document.createElement('img')
    const failure = document.createElement('div')
    dom.className = 'doc-image'
    frame.className = 'doc-image-frame'
    failure.className = 'doc-image-failure'
    failure.setAttribute('role', 'alert')
    failure.hidden = true
    picture.decoding = 'async'
    picture.draggable = true
    const handles = [handle('start', -1), handle('end', 1)]
    frame.append(picture, failure, ...handles)
    dom.append(frame)

    const load = async (file: string) => {
      failure.hidden = true
      try {
        const address = await images.address(file)
        if (hash === file) picture.src = address
      } catch {
        if (hash === file) fail()
      }
    }
    const fail = () => {
      const retry = document.createElement('button')
      retry.type = 'button'
      retry.textContent = words()('editor.image.retry')
      retry.addEventListener('click', () => {
        if (hash == null) return
        images.again(hash)
        void load(hash)
      })
      failure.replaceChildren(words()('editor.image.missing'), ' ', retry)
      failure.hidden = false
    }
    picture.addEventListener('error', fail)

    const measured = () => {
      const width = Math.round(frame.getBoundingClientRect().width)
      for (const grip of handles) {
        grip.setAttribute('aria-valuemax', String(Math.max(width, most())))
        grip.setAttribute('aria-valuenow', String(width))
        grip.setAttribute('aria-valuetext', words()('editor.image.pixels', { n: width }))
      }
    }
    picture.addEventListener('load', measured)

    const draw = ({ attrs }: Node) => {
      const { file, alt, width, naturalWidth, naturalHeight } = attrs as Record<string, unknown>
      picture.alt = typeof alt === 'string' ? alt : ''
      const natural = size(naturalWidth)
      const height = size(naturalHeight)
      const shownWidth = size(width) ?? natural
      frame.style.width = shownWidth === null ? '' : `${shownWidth}px`
      // Known before the picture has come, so that the text does not jump.
      frame.style.aspectRatio = natural !== null && height !== null ? `${natural} / ${height}` : ''
      if (file === hash) return
      hash = typeof file === 'string' ? file : null
      picture.removeAttribute('src')
      if (hash === null) fail()
      else void load(hash)
    }

    function handle(side: string, direction: 1 | -1): HTMLElement {
      const grip = document.createElement('div')
      grip.className = `doc-image-handle is-${side}`
      grip.tabIndex = 0
      grip.setAttribute('role', 'slider')
      grip.setAttribute('aria-orientation', 'horizontal')
      grip.setAttribute('aria-valuemin', String(LEAST))
      grip.setAttribute('aria-label', words()('editor.image.width'))
      grip.setAttribute('aria-valuenow', String(LEAST))
      grip.addEventListener('focus', () => measured())
      grip.addEventListener('pointerdown', (event) => {
        if (!view.editable || event.button !== 0) return
        event.preventDefault()
        grip.setPointerCapture(event.pointerId)
        const from = event.clientX
        const before = frame.getBoundingClientRect().width
        let width = before
        const move = ({ clientX }: PointerEvent) => {
          width = within(before + (clientX - from) * direction)
          frame.style.width = `${width}px`
        }
        const end = () => {
          grip.removeEventListener('pointermove', move)
          if (Math.round(width) !== Math.round(before)) keep(width)
          measured()
        }
        grip.addEventListener('pointermove', move)
        grip.addEventListener('lostpointercapture', end, { once: true })
      })
      grip.addEventListener('keydown', (event) => {
        const wanted = { ArrowLeft: -1, ArrowDown: -1, ArrowRight: 1, ArrowUp: 1 }[event.key]
        if (wanted === undefined || !view.editable) return
        event.preventDefault()
        event.stopPropagation()
        keep(within(frame.getBoundingClientRect().width + wanted * (event.shiftKey ? LEAP : STEP)))
        measured()
      })
      return grip
    }

    const most = () => Math.max(LEAST, Math.round((dom.parentElement ?? dom).getBoundingClientRect().width))
    const within = (width: number) => Math.min(most(), Math.max(LEAST, width))
    const keep = (width: number) => {
      const pos = getPos()
      if (pos !== undefined) view.dispatch(view.state.tr.setNodeAttribute(pos, 'width', Math.round(width)))
    }

    return blockView(node, { dom, draw, controls: [...handles, failure], selected: (isSelected) => dom.classList.toggle('is-selected', isSelected) })
  }
}

function size(value: unknown): number | null {
  return typeof value === 'number' && value > 0 ? value : null
}
