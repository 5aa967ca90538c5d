// The items of a checklist, with a box to tick.
import type { NodeViewRendererProps } from '@tiptap/core'
import type { Node } from '@tiptap/pm/model'
import type { NodeView } from '@tiptap/pm/view'
import type { Words } from '../types'
import { blockView } from './block'

export function taskItemView(words: () => Words) {
  return ({ node, view, getPos }: NodeViewRendererProps): NodeView => {
    const dom = document.createElement('li')
    const label = document.createElement('label')
    const box = document.createElement('input')
    const contentDOM = document.createElement('div')
    label.contentEditable = 'false'
    box.type = 'checkbox'
    label.append(box)
    dom.append(label, contentDOM)
    let isChecked = false
    // The focus stays in the text.
    label.addEventListener('mousedown', (event) => event.preventDefault())
    box.addEventListener('change', () => {
      const pos = getPos()
      if (pos === undefined || !view.editable) box.checked = isChecked
      else view.dispatch(view.state.tr.setNodeAttribute(pos, 'checked', box.checked))
    })
    const draw = ({ attrs, textContent }: Node) => {
      isChecked = attrs['checked'] === true
      dom.dataset['checked'] = String(isChecked)
      box.checked = isChecked
      box.setAttribute('aria-label', words()('editor.task', { text: textContent.slice(0, 80) }))
    }
    return blockView(node, { dom, contentDOM, draw, controls: [label] })
  }
}
