// The items of a checklist, with a box to tick.
import type { NodeViewRendererProps } from '@tiptap/core'
import type { Node } from '@tiptap/pm/model'
import type { NodeView } from '@tiptap/pm/view'
import type { Words } from '../types'

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
    let shown = node
    const draw = () => {
      const isChecked = shown.attrs['checked'] === true
      dom.dataset['checked'] = String(isChecked)
      box.checked = isChecked
      box.setAttribute('aria-label', words()('editor.task', { text: shown.textContent.slice(0, 80) }))
      const id: unknown = shown.attrs['id']
      if (typeof id === 'string') dom.dataset['id'] = id
    }
    draw()
    // The focus stays in the text.
    label.addEventListener('mousedown', (event) => event.preventDefault())
    box.addEventListener('change', () => {
      const pos = getPos()
      if (pos === undefined || !view.editable) draw()
      else view.dispatch(view.state.tr.setNodeAttribute(pos, 'checked', box.checked))
    })
    return {
      dom,
      contentDOM,
      update(now: Node) {
        if (now.type !== shown.type) return false
        shown = now
        draw()
        return true
      },
      stopEvent: (event) => label.contains(event.target as HTMLElement),
      ignoreMutation: (record) => record.type !== 'selection' && !contentDOM.contains(record.target),
    }
  }
}
