// What opens at a button: whether it hangs on the page or on the window, as its button does.

const HELD: ReadonlySet<string> = new Set(['fixed', 'sticky'])

/**
 * How to place what opens at `anchor`. `fixed` where the window holds the anchor while the page scrolls: on
 * the page it would move along and be brought back a frame later, and a click in between would miss it.
 * `absolute` otherwise: anchor and page scroll as one.
 */
export function strategyOf(anchor: Element | null): 'absolute' | 'fixed' {
  for (let node = anchor; node !== null; node = node.parentElement) {
    if (HELD.has(getComputedStyle(node).position)) return 'fixed'
  }
  return 'absolute'
}
