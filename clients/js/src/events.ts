// Callbacks by name: `part.on('saved', …)` adds one and returns a function that takes it away.

type Callback = (...values: readonly unknown[]) => void
type Names = { readonly [name: string]: readonly unknown[] }

/** Something that happens again and again, by name, and who wants to know. */
export class Events<E extends Names> {
  readonly #callbacks = new Map<keyof E, Set<Callback>>()

  /** Call `callback` each time; return a function that ends this. */
  on<K extends keyof E>(name: K, callback: (...values: E[K]) => void): () => void {
    let callbacks = this.#callbacks.get(name)
    if (callbacks === undefined) this.#callbacks.set(name, (callbacks = new Set()))
    const own: Callback = (...values) => callback(...(values as unknown as E[K]))
    callbacks.add(own)
    return () => callbacks.delete(own)
  }

  /** Call `callback` the next time only; return a function that ends this. */
  once<K extends keyof E>(name: K, callback: (...values: E[K]) => void): () => void {
    const off = this.on(name, (...values) => {
      off()
      callback(...values)
    })
    return off
  }

  /** Tell everyone. One that throws keeps nobody else from hearing; its error is reported as uncaught. */
  protected emit<K extends keyof E>(name: K, ...values: E[K]): void {
    for (const callback of [...(this.#callbacks.get(name) ?? [])]) {
      try {
        callback(...values)
      } catch (problem) {
        reportUncaught(problem)
      }
    }
  }
}

/** Show an error of the application's where uncaught ones are shown, and go on. */
export function reportUncaught(problem: unknown): void {
  if (typeof globalThis.reportError === 'function') globalThis.reportError(problem)
  else console.error(problem)
}
