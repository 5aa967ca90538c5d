// The frame of blocks that are drawn by hand: what they share with each other and with ProseMirror.
import type { Node } from '@tiptap/pm/model'
import type { NodeView } from '@tiptap/pm/view'

export interface BlockLook {
  dom: HTMLElement
  /** Where ProseMirror draws what is in the block; absent in blocks without text. */
  contentDOM?: HTMLElement
  /** Shows the node's attributes; called now, and whenever they may have changed. */
  draw(node: Node): void
  /** Parts whose events are their own, and none of the text's. */
  controls: readonly HTMLElement[]
  /** Called when the block as a whole is selected, and no longer. */
  selected?(isSelected: boolean): void
}

/** A block's view, which goes on as long as the block keeps its type. */
export function blockView(node: Node, { dom, contentDOM, draw, controls, selected }: BlockLook): NodeView {
  const { type } = node
  const show = (now: Node) => {
    const id: unknown = now.attrs['id']
    if (typeof id === 'string') dom.dataset['id'] = id
    draw(now)
  }
  show(node)
  return {
    dom,
    ...(contentDOM === undefined ? {} : { contentDOM }),
    update(now) {
      if (now.type !== type) return false
      show(now)
      return true
    },
    ...(selected === undefined ? {} : { selectNode: () => selected(true), deselectNode: () => selected(false) }),
    stopEvent: (event) => controls.some((part) => part.contains(event.target as HTMLElement)),
    ignoreMutation: (record) => contentDOM === undefined || (record.type !== 'selection' && !contentDOM.contains(record.target)),
  }
}
