// Time, chance, the socket and the page as parameters; the real ones stand at the end.

/** The part of a WebSocket that this package uses; the browser's and the one of `ws` both fit. */
export interface SocketLike {
  binaryType: string
  onopen: ((event: never) => void) | null
  onmessage: ((event: never) => void) | null
  onclose: ((event: never) => void) | null
  onerror: ((event: never) => void) | null
  send(data: Uint8Array): void
  close(code?: number, reason?: string): void
}

export type SocketClass = new (url: string, protocols: string | string[]) => SocketLike

/** What the package needs from its surroundings. Times are seconds; each function that starts something returns one that ends it. */
export interface Platform {
  /** Seconds since some fixed moment; never set by hand, so a wrong wall clock does no harm. */
  now(): number
  /** Seconds since 1970 as this device believes; only for people to read and to order what is kept. */
  date(): number
  after(seconds: number, callback: () => void): () => void
  /** From 0 up to but not including 1. */
  random(): number
  bytes(count: number): Uint8Array
  /** Before the next frame is painted, or soon while nobody looks at the page. */
  frame(callback: () => void): () => void
  /** The network is back, the page is looked at again, or the device has woken up. */
  onWake(callback: () => void): () => void
  /** The page may be gone the next moment. */
  onHide(callback: () => void): () => void
}

/** Seconds within which a frame comes even if the browser paints none. */
const HIDDEN_FRAME = 0.1

/** The browser's, or Node's, own. */
export const systemPlatform: Platform = {
  now: () => performance.now() / 1000,
  date: () => Date.now() / 1000,
  after(seconds, callback) {
    // A longer timeout would fire at once.
    const timer = setTimeout(callback, Math.min(seconds * 1000, 2 ** 31 - 1))
    return () => clearTimeout(timer)
  },
  random: Math.random,
  bytes: (count) => crypto.getRandomValues(new Uint8Array(count)),
  frame(callback) {
    const stop = (): void => {
      stopTimer()
      if (painted !== undefined) cancelAnimationFrame(painted)
    }
    const fire = (): void => {
      stop()
      callback()
    }
    const stopTimer = systemPlatform.after(HIDDEN_FRAME, fire)
    const painted = typeof requestAnimationFrame === 'function' ? requestAnimationFrame(fire) : undefined
    return stop
  },
  onWake(callback) {
    if (typeof window === 'undefined') return () => {}
    const seen = (): void => {
      if (document.visibilityState === 'visible') callback()
    }
    return together(
      listen(window, 'online', callback),
      listen(window, 'offline', callback), // is it true? asking the server finds out
      listen(window, 'pageshow', callback),
      listen(document, 'visibilitychange', seen),
    )
  },
  onHide(callback) {
    if (typeof window === 'undefined') return () => {}
    const unseen = (): void => {
      if (document.visibilityState === 'hidden') callback()
    }
    return together(listen(window, 'pagehide', callback), listen(document, 'visibilitychange', unseen))
  },
}

function listen(target: EventTarget, name: string, callback: () => void): () => void {
  const heard = (): void => callback()
  target.addEventListener(name, heard)
  return () => target.removeEventListener(name, heard)
}

function together(...stops: readonly (() => void)[]): () => void {
  return () => stops.forEach((stop) => stop())
}

/** The address of the node's websocket; `/ws` is taken as one of the page's own origin. */
export function socketUrl(url: string): string {
  if (/^wss?:/.test(url)) return url
  const absolute = new URL(url, typeof location === 'undefined' ? undefined : location.href)
  absolute.protocol = absolute.protocol.replace('http', 'ws')
  return absolute.href
}
