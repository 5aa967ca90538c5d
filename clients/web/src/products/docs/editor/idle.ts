// Work that waits until nobody types.

export interface Idle {
  /** Runs the work once the browser is idle; asked again before that, it is still run once. */
  soon(): void
  stop(): void
}

/** `after`: at least this long after the last call, in milliseconds. `most`: then it is run in any case. */
export function whenIdle(work: () => void, after = 150, most = 1000): Idle {
  let timer: ReturnType<typeof setTimeout> | undefined
  let callback = 0
  const hasIdle = typeof requestIdleCallback === 'function'
  const run = () => {
    callback = 0
    work()
  }
  const stop = () => {
    clearTimeout(timer)
    timer = undefined
    if (callback !== 0) cancelIdleCallback(callback)
    callback = 0
  }
  return {
    soon() {
      if (callback !== 0) return
      clearTimeout(timer)
      timer = setTimeout(() => {
        timer = undefined
        if (hasIdle) callback = requestIdleCallback(run, { timeout: most })
        else run()
      }, after)
    },
    stop,
  }
}
