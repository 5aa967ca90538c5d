// Answers while one types: asked for a moment after the last key, and only those to the newest words count.

/** Milliseconds without a key before it is asked. */
const PAUSE = 120

export interface Asking<Found> {
  /** The newest answer; null before the first, while there are no words, and after a failure. */
  readonly found: Found | null
  /** Why there is no answer to the newest words; null while there may be one. */
  readonly failed: unknown
  /** The question is on its way. */
  readonly isBusy: boolean
}

/**
 * What `ask` answers to `words`, which are trimmed and not empty. Its signal is aborted when others are
 * typed. Reactive; to be used where a component begins.
 */
export function useAsking<Found>(words: () => string, ask: (words: string, signal: AbortSignal) => Promise<Found>): Asking<Found> {
  let found = $state.raw<Found | null>(null)
  let failed = $state.raw<unknown>(null)
  let isBusy = $state(false)

  $effect(() => {
    const asked = words().trim()
    failed = null
    if (asked === '') {
      found = null
      return
    }
    const stop = new AbortController()
    const timer = setTimeout(async () => {
      isBusy = true
      try {
        const answer = await ask(asked, stop.signal)
        if (!stop.signal.aborted) found = answer
      } catch (error) {
        if (stop.signal.aborted) return
        found = null
        failed = error
      } finally {
        if (!stop.signal.aborted) isBusy = false
      }
    }, PAUSE)
    return () => {
      clearTimeout(timer)
      stop.abort()
      isBusy = false
    }
  })

  return {
    get found() {
      return found
    },
    get failed() {
      return failed
    },
    get isBusy() {
      return isBusy
    },
  }
}
