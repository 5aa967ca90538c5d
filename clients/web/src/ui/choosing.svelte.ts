// A field with a list of which arrow keys choose a line while the field keeps the focus: WAI-ARIA's combobox.
//
// `Combobox.svelte` is such a field; this is what drives it, for those that look otherwise (the palette).
// bits-ui has a combobox too, but there the field's words are the value: here they may be half a name,
// an address that nobody knows, or a command.

export interface ChoosingSettings<Option> {
  /** Of the element that holds both; those of the list and its lines begin with it. */
  readonly id: string
  /** What can be chosen now. Reactive. */
  options(): readonly Option[]
  choose(option: Option): void
  /** The end of a line's id; its place in the list without it. */
  key?(option: Option): string
  /** The list is always there, as long as it has lines. */
  readonly stays?: boolean
}

/** Lines that Page Up and Page Down move over. */
const PAGE = 8

export class Choosing<Option> {
  readonly #settings: ChoosingSettings<Option>
  #at = $state(0)
  #isOpen = $state(false)

  constructor(settings: ChoosingSettings<Option>) {
    this.#settings = settings
  }

  get isOpen(): boolean {
    return (this.#isOpen || this.#settings.stays === true) && this.#settings.options().length > 0
  }

  /** The line that Enter would choose; undefined while there is none. */
  get active(): Option | undefined {
    return this.isOpen ? this.#settings.options()[this.#place] : undefined
  }

  /** For the field. */
  get field() {
    const { active } = this
    return {
      role: 'combobox', 'aria-expanded': this.isOpen, 'aria-controls': this.#listId, 'aria-autocomplete': 'list',
      'aria-activedescendant': active === undefined ? undefined : this.#idOf(active, this.#place),
      autocomplete: 'off', autocapitalize: 'off', spellcheck: false,
    } as const
  }

  /** For the list. */
  get list() {
    return { id: this.#listId, role: 'listbox', tabindex: -1 } as const
  }

  /** For a line of the list. The pointer chooses, and the field keeps the focus. */
  line(option: Option, place: number) {
    return {
      id: this.#idOf(option, place), role: 'option', 'aria-selected': place === this.#place,
      onpointermove: () => (this.#at = place),
      onmousedown: (event: MouseEvent) => event.preventDefault(),
      onclick: () => this.#settings.choose(option),
    } as const
  }

  /** Something was typed: the list shows, and begins at its first line. */
  typed(): void {
    this.#at = 0
    this.#isOpen = true
  }

  close(): void {
    this.#isOpen = false
  }

  /** A key in the field; true if it was for the list. */
  onKey(event: KeyboardEvent): boolean {
    if (event.isComposing) return false
    const count = this.#settings.options().length
    const step = STEPS[event.key]
    if (step !== undefined && count > 0) {
      if (this.isOpen) this.#go(step(this.#place, count))
      else if (event.key.startsWith('Arrow')) this.#isOpen = true
      else return false
    } else if (event.key === 'Enter' && this.active !== undefined) this.#settings.choose(this.active)
    else if (event.key === 'Escape' && this.isOpen && this.#settings.stays !== true) this.close()
    else return false
    event.preventDefault()
    // A dialog around it stays open.
    event.stopPropagation()
    return true
  }

  get #listId(): string {
    return `${this.#settings.id}-list`
  }

  /** What was chosen may be gone: there are fewer lines now. */
  get #place(): number {
    return Math.max(0, Math.min(this.#at, this.#settings.options().length - 1))
  }

  #idOf(option: Option, place: number): string {
    return `${this.#settings.id}-${this.#settings.key?.(option) ?? place}`
  }

  #go(place: number): void {
    this.#at = place
    const option = this.#settings.options()[place]
    if (option !== undefined) document.getElementById(this.#idOf(option, place))?.scrollIntoView({ block: 'nearest' })
  }
}

const STEPS: Readonly<Record<string, (at: number, count: number) => number>> = {
  ArrowDown: (at, count) => (at + 1) % count,
  ArrowUp: (at, count) => (at - 1 + count) % count,
  PageDown: (at, count) => Math.min(at + PAGE, count - 1),
  PageUp: (at) => Math.max(at - PAGE, 0),
}
