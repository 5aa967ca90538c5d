// Work that waits until nobody types, or until what was typed is on the screen.

export interface Idle {
  /** Runs the work when its time has come; asked again before that, it is still run once. */
  soon(): void
  stop(): void
}

/** Behind the next frame, so that the frame does not wait for it. */
export function afterPaint(work: () => void): Idle {
  let frame = 0
  let timer: ReturnType<typeof setTimeout> | undefined
  const run = () => {
    timer = undefined
    work()
  }
  return {
    soon() {
      if (frame !== 0 || timer !== undefined) return
      frame = requestAnimationFrame(() => {
        frame = 0
        timer = setTimeout(run)
      })
    },
    stop() {
      cancelAnimationFrame(frame)
      clearTimeout(timer)
      frame = 0
      timer = undefined
    },
  }
}

/** Once the browser is idle. `after`: at least this long after the last call, in milliseconds. `most`: then it is run in any case. */
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
