// Where the reader is: the address, going elsewhere without a reload, titles, scrolling and focus.
import { isolate } from '@i18n'
import { tick } from 'svelte'
import { match, type Params } from './pattern'

export interface Place {
  readonly path: string
  readonly query: URLSearchParams
  /** Without its `#`. Secrets stand here: they never reach a server. */
  readonly hash: string
}

interface Kept {
  readonly at: number
  readonly scroll: number
}

export interface Go {
  /** Instead of the present place in the history. */
  readonly replace?: boolean
  /** The page stays as it is: no scrolling, no focus. For addresses that mirror what is shown. */
  readonly quiet?: boolean
}

const state = $state<{ place: Place; title: string; said: string }>({ place: here(), title: '', said: '' })
/** How many visits deep the present place is: the key under which its scrolling is kept. */
let depth = (history.state as Kept | null)?.at ?? 0
/** Asked before going elsewhere; false keeps the reader here. */
const guards = new Set<() => boolean>()
let opening: Promise<void> = Promise.resolve()

function here(): Place {
  return { path: location.pathname, query: new URLSearchParams(location.search), hash: location.hash.slice(1) }
}

/** Where the reader is. Reactive. */
export function place(): Place {
  return state.place
}

/** The title of the page that is shown, without the app's name. Reactive. */
export function title(): string {
  return state.title
}

/** What screen readers are told about the page that has opened. Reactive. */
export function said(): string {
  return state.said
}

/** Names the page in the window's title: `$effect(() => setTitle(t('…')))`. */
export function setTitle(words: string): void {
  state.title = words
  document.title = words ? `${isolate(words)} · Parvis` : 'Parvis'
}

/** The parameters of the present address under `pattern`, or null. */
export function at(pattern: string): Params | null {
  return match(pattern, state.place.path)
}

/** Goes to `href`, an address of this app. */
export function go(href: string, { replace = false, quiet = false }: Go = {}): void {
  const url = new URL(href, location.href)
  if (url.origin !== location.origin) {
    location.assign(url)
    return
  }
  const isElsewhere = url.pathname !== location.pathname
  if (isElsewhere && !mayLeave()) return
  if (replace) {
    history.replaceState({ at: depth, scroll: 0 } satisfies Kept, '', url)
  } else {
    keepScroll()
    depth += 1
    history.pushState({ at: depth, scroll: 0 } satisfies Kept, '', url)
  }
  state.place = here()
  if (!quiet && isElsewhere) void arrive(0)
}

/** Asks `guard` before the page is left (also by closing the window, which the browser asks about). */
export function beforeLeaving(guard: () => boolean): () => void {
  guards.add(guard)
  return () => guards.delete(guard)
}

function mayLeave(): boolean {
  return Array.from(guards).every((guard) => guard())
}

/** Tells the router when the page that was asked for is there (or has failed to come). */
export function opened(page: Promise<unknown>): void {
  opening = page.then(
    () => undefined,
    () => undefined,
  )
}

function keepScroll(): void {
  history.replaceState({ at: depth, scroll: scrollY } satisfies Kept, '')
}

/** Once the new page stands: scrolls, and gives it the focus, so that the keyboard begins there. */
async function arrive(scroll: number): Promise<void> {
  const { path } = state.place
  await tick()
  await opening
  await tick()
  if (path !== state.place.path) return
  const target = location.hash.length > 1 && !location.hash.includes('=') ? document.getElementById(location.hash.slice(1)) : null
  if (target) target.scrollIntoView()
  else scrollTo(0, scroll)
  // A page that has put the focus where it is needed (a field, the text) keeps it.
  const main = document.getElementById('main')
  if (main && !main.contains(document.activeElement) && !document.querySelector('[role=dialog][data-state=open]')) main.focus({ preventScroll: true })
  state.said = state.title
}

function onClick(event: MouseEvent): void {
  if (event.defaultPrevented || event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return
  const link = (event.target as Element | null)?.closest?.('a')
  if (!link?.href || link.target || link.hasAttribute('download') || link.origin !== location.origin) return
  if (link.isContentEditable || !isPage(link.pathname)) return
  event.preventDefault()
  if (link.pathname === location.pathname && link.search === location.search && link.hash) {
    const target = document.getElementById(link.hash.slice(1))
    target?.scrollIntoView()
    target?.focus({ preventScroll: true })
    return
  }
  go(link.href)
}

/** The node answers these itself. */
function isPage(path: string): boolean {
  return !/^\/(api|dav|ws|yjs|hocuspocus|socket\.io|metrics|livez|readyz)(\/|$)|\.[a-z0-9]+$/i.test(path)
}

/** Begins to listen: to links, and to the browser's own buttons. Returns how to stop. */
export function startRouter(): () => void {
  history.scrollRestoration = 'manual'
  history.replaceState({ at: depth, scroll: scrollY } satisfies Kept, '')
  const onPop = (event: PopStateEvent) => {
    const kept = event.state as Kept | null
    const from = state.place.path
    depth = kept?.at ?? 0
    state.place = here()
    if (from !== state.place.path) void arrive(kept?.scroll ?? 0)
  }
  const onUnload = (event: BeforeUnloadEvent) => {
    if (!mayLeave()) event.preventDefault()
  }
  // The browser's own buttons leave before we are asked: what was scrolled is noted as it happens.
  let noted = 0
  const onScroll = () => {
    clearTimeout(noted)
    noted = window.setTimeout(keepScroll, 100)
  }
  document.addEventListener('click', onClick)
  addEventListener('popstate', onPop)
  addEventListener('beforeunload', onUnload)
  addEventListener('scroll', onScroll, { passive: true })
  return () => {
    clearTimeout(noted)
    document.removeEventListener('click', onClick)
    removeEventListener('popstate', onPop)
    removeEventListener('beforeunload', onUnload)
    removeEventListener('scroll', onScroll)
  }
}
