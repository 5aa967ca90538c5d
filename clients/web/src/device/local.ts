// What this browser remembers of how somebody likes things, where it remembers anything.
//
// Its storage may be full or switched off; then even looking at it throws. Nothing that stands here is
// worth an error: what cannot be kept is chosen again the next time.

export const local = {
  /** Null if there is none, or nothing can be kept. */
  get(key: string): string | null {
    try {
      return localStorage.getItem(key)
    } catch {
      return null
    }
  },

  set(key: string, value: string): void {
    try {
      localStorage.setItem(key, value)
    } catch {
      // Full, or forbidden.
    }
  },

  remove(key: string): void {
    try {
      localStorage.removeItem(key)
    } catch {
      // Forbidden: then it holds nothing.
    }
  },
}
