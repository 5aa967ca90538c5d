// A block of code with the name of its language.
import type { NodeViewRendererProps } from '@tiptap/core'
import type { Node } from '@tiptap/pm/model'
import type { NodeView } from '@tiptap/pm/view'
import { blockView } from '../content/block'
import type { Words } from '../types'
import { languageName } from './languages'

export interface CodeHooks {
  words: () => Words
  /** Opens the list of languages below `button`. */
  pick(button: HTMLElement, current: string | null, chosen: (language: string | null) => void): void
}

export function codeBlockView(hooks: CodeHooks) {
  return ({ node, view, getPos }: NodeViewRendererProps): NodeView => {
    let language: string | null = null
    const dom = document.createElement('div')
    const pre = document.createElement('pre')
    const contentDOM = document.createElement('code')
    const button = document.createElement('button')
    dom.className = 'doc-code'
    pre.dir = 'ltr'
    pre.spellcheck = false
    button.type = 'button'
    button.className = 'doc-code-language'
    button.contentEditable = 'false'
    button.setAttribute('aria-haspopup', 'listbox')
    pre.append(contentDOM)
    dom.append(button, pre)
    button.addEventListener('mousedown', (event) => event.preventDefault())
    button.addEventListener('click', () => {
      if (!view.editable) return
      hooks.pick(button, language, (chosen) => {
        const pos = getPos()
        if (pos !== undefined) view.dispatch(view.state.tr.setNodeAttribute(pos, 'language', chosen))
        view.focus()
      })
    })
    const draw = ({ attrs }: Node) => {
      language = (attrs['language'] ?? null) as string | null
      button.textContent = language === null ? hooks.words()('editor.code.plain') : languageName(language)
      button.setAttribute('aria-label', hooks.words()('editor.code.language', { name: button.textContent }))
    }
    return blockView(node, { dom, contentDOM, draw, controls: [button] })
  }
}
