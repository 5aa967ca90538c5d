// A list to choose from with the keyboard while the focus stays where it is.
import { make } from './dom'

export interface Option {
  label: string
  /** Said in smaller type. */
  hint?: string
  /** Drawn before the label. */
  mark?: HTMLElement
  choose(): void
}

export interface Listbox {
  readonly dom: HTMLElement
  readonly count: number
  show(options: readonly Option[], empty: string): void
  /** Whether the key was the list's. */
  key(event: KeyboardEvent): boolean
  destroy(): void
}

let made = 0

/** `owner` keeps the focus; it is told by `aria-activedescendant` what is chosen. */
export function listbox(owner: () => HTMLElement, label: string): Listbox {
  made += 1
  const id = `doc-list-${made}`
  const dom = make('div', { class: 'doc-list', role: 'listbox', id, 'aria-label': label })
  // It can be longer than its place; the keys that push it come by its owner.
  dom.tabIndex = 0
  dom.addEventListener('mousedown', (event) => event.preventDefault())
  let options: readonly Option[] = []
  let active = 0

  const mark = (index: number) => {
    active = index
    ;[...dom.children].forEach((row, at) => row.setAttribute('aria-selected', String(at === index)))
    const row = dom.children[index] as HTMLElement | undefined
    row?.scrollIntoView?.({ block: 'nearest' })
    if (options.length > 0) owner().setAttribute('aria-activedescendant', `${id}-${index}`)
    else owner().removeAttribute('aria-activedescendant')
  }

  return {
    dom,
    get count() {
      return options.length
    },
    show(now, empty) {
      options = now
      dom.replaceChildren(
        ...now.map((option, index) => {
          const row = make('div', { class: 'doc-option', role: 'option', id: `${id}-${index}` })
          if (option.mark !== undefined) row.append(option.mark)
          row.append(make('span', { class: 'doc-option-label' }, option.label))
          if (option.hint !== undefined) row.append(make('span', { class: 'doc-option-hint' }, option.hint))
          row.addEventListener('mousedown', (event) => event.preventDefault())
          row.addEventListener('mousemove', () => {
            if (active !== index) mark(index)
          })
          row.addEventListener('click', () => option.choose())
          return row
        }),
      )
      if (now.length === 0) dom.append(make('div', { class: 'doc-list-empty', role: 'status' }, empty))
      owner().setAttribute('aria-controls', id)
      mark(0)
    },
    key(event) {
      if (event.isComposing || options.length === 0) return false
      const step = { ArrowDown: 1, ArrowUp: -1 }[event.key]
      if (step !== undefined) mark((active + step + options.length) % options.length)
      else if (event.key === 'Enter' || event.key === 'Tab') options[active]?.choose()
      else return false
      event.preventDefault()
      return true
    },
    destroy() {
      for (const name of ['aria-activedescendant', 'aria-controls']) owner().removeAttribute(name)
      dom.replaceChildren()
      options = []
    },
  }
}
