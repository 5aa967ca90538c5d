// A surface that floats beside a place in the text and stays inside the window.

export interface Popup {
  readonly dom: HTMLElement
  readonly isOpen: boolean
  /** Opens beside what `rect` gives, and stays with it while the page scrolls. */
  open(rect: () => DOMRect | null): void
  place(): void
  close(): void
  destroy(): void
}

export interface PopupOptions {
  root: HTMLElement
  dom: HTMLElement
  side?: 'above' | 'below'
  /** How much of the window's top and bottom lies under bars. */
  covered: () => { top: number; bottom: number }
  closed?: () => void
}

const GAP = 8

export function popup({ root, dom, side = 'below', covered, closed }: PopupOptions): Popup {
  let rect: (() => DOMRect | null) | null = null
  let frame = 0
  dom.classList.add('doc-popup')
  dom.hidden = true
  root.append(dom)

  const place = () => {
    frame = 0
    const beside = rect?.() ?? null
    if (beside === null) return
    const { offsetWidth: width, offsetHeight: height } = dom
    const bars = covered()
    const top = bars.top + GAP
    const bottom = window.innerHeight - bars.bottom - GAP
    const above = beside.top - height - GAP
    const below = beside.bottom + GAP
    const fitsAbove = above >= top
    const fitsBelow = below + height <= bottom
    const y = side === 'above' ? (fitsAbove || !fitsBelow ? above : below) : fitsBelow || !fitsAbove ? below : above
    const isRight = getComputedStyle(root).direction === 'rtl'
    const x = side === 'above' ? beside.left + beside.width / 2 - width / 2 : isRight ? beside.right - width : beside.left
    dom.style.left = `${Math.max(GAP, Math.min(x, window.innerWidth - width - GAP))}px`
    dom.style.top = `${Math.max(top, Math.min(y, bottom - height))}px`
    dom.style.visibility = beside.bottom < bars.top || beside.top > window.innerHeight - bars.bottom ? 'hidden' : ''
  }
  const placeSoon = () => {
    if (frame === 0) frame = requestAnimationFrame(place)
  }
  const listen = (on: boolean) => {
    const act = on ? 'addEventListener' : 'removeEventListener'
    window[act]('scroll', placeSoon, { capture: true, passive: true } as AddEventListenerOptions)
    window[act]('resize', placeSoon)
    window.visualViewport?.[act]('resize', placeSoon)
  }

  const close = () => {
    if (rect === null) return
    rect = null
    listen(false)
    cancelAnimationFrame(frame)
    frame = 0
    dom.hidden = true
    closed?.()
  }

  return {
    dom,
    get isOpen() {
      return rect !== null
    },
    open(beside) {
      if (rect === null) listen(true)
      rect = beside
      dom.hidden = false
      place()
    },
    place: () => {
      if (rect !== null) placeSoon()
    },
    close,
    destroy() {
      close()
      dom.remove()
    },
  }
}
