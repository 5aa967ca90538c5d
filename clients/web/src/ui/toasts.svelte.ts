// Short messages at the edge of the window. What went well goes by itself; errors stay until closed.

export interface Toast {
  readonly id: number
  readonly kind: 'done' | 'note' | 'error'
  readonly text: string
  /** For whoever has to report it: what the server said, in its own words. */
  readonly details?: string | undefined
  /** One thing to do about it; the toast closes. */
  readonly action?: { readonly label: string; run(): void } | undefined
}

type Extra = Pick<Toast, 'details' | 'action'>

/** Milliseconds that a toast without an error stays; longer if there is something to press. */
const STAYS = 5000
const STAYS_WITH_ACTION = 12000

class Toasts {
  readonly #shown = $state<Toast[]>([])
  #next = 1
  readonly #leaving = new Map<number, number>()

  get shown(): readonly Toast[] {
    return this.#shown
  }

  /** Says that something worked. */
  done(text: string, extra: Extra = {}): number {
    return this.#show({ kind: 'done', text, ...extra })
  }

  /** Says something worth knowing. */
  note(text: string, extra: Extra = {}): number {
    return this.#show({ kind: 'note', text, ...extra })
  }

  /** Says that something failed; stays until it is closed. */
  error(text: string, extra: Extra = {}): number {
    return this.#show({ kind: 'error', text, ...extra })
  }

  close(id: number): void {
    clearTimeout(this.#leaving.get(id))
    this.#leaving.delete(id)
    const at = this.#shown.findIndex((toast) => toast.id === id)
    if (at >= 0) this.#shown.splice(at, 1)
  }

  /** Nothing goes while somebody reads: the pointer or the focus is there. */
  hold(): void {
    for (const timer of this.#leaving.values()) clearTimeout(timer)
    this.#leaving.clear()
  }

  release(): void {
    for (const toast of this.#shown) this.#let(toast)
  }

  #show(toast: Omit<Toast, 'id'>): number {
    const same = this.#shown.find((other) => other.kind === toast.kind && other.text === toast.text)
    if (same) this.close(same.id)
    const shown = { ...toast, id: this.#next++ }
    this.#shown.push(shown)
    this.#let(shown)
    return shown.id
  }

  #let(toast: Toast): void {
    if (toast.kind === 'error' || this.#leaving.has(toast.id)) return
    this.#leaving.set(toast.id, window.setTimeout(() => this.close(toast.id), toast.action ? STAYS_WITH_ACTION : STAYS))
  }
}

export const toasts = new Toasts()
