// Waiting for a condition: it is looked at again whenever a socket did something, never on a timer.

const SECONDS = Number(process.env.PARVIS_INTEROP_SECONDS ?? 60)
const waiting = new Set()
let due = false

/** Something happened: every condition is looked at once, after the handlers have run. */
export function ring() {
  if (due) return
  due = true
  setImmediate(() => {
    due = false
    for (const look of [...waiting]) look()
  })
}

/**
 * Resolves when `condition()` is true. `what` completes the sentence "gave up waiting for …";
 * `detail()` is printed with it.
 */
export function until(what, condition, detail = () => '') {
  if (condition()) return Promise.resolve()
  return new Promise((resolve, reject) => {
    const end = (settle, value) => {
      clearTimeout(deadline)
      waiting.delete(look)
      settle(value)
    }
    const look = () => condition() && end(resolve)
    const deadline = setTimeout(() => {
      end(reject, new Error(`gave up waiting for ${what} after ${SECONDS} s. ${detail()}`))
    }, SECONDS * 1000)
    waiting.add(look)
  })
}
