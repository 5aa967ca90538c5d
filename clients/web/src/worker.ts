// The service worker: keeps the built app of one version, so that it opens without a network.
//
// It answers only for the app itself. Everything below /api and every socket goes to the node as if
// this were not here; nothing of anybody's documents is kept in its cache.

export {}

declare const __FILES__: readonly string[]
declare const __VERSION__: string

interface Extendable extends Event {
  waitUntil(work: Promise<unknown>): void
}
interface Fetch extends Extendable {
  readonly request: Request
  respondWith(answer: Promise<Response>): void
}
interface Worker {
  readonly clients: { claim(): Promise<void> }
  skipWaiting(): Promise<void>
  addEventListener(type: 'install' | 'activate', listener: (event: Extendable) => void): void
  addEventListener(type: 'fetch', listener: (event: Fetch) => void): void
  addEventListener(type: 'message', listener: (event: MessageEvent) => void): void
}

const worker = self as unknown as Worker
const PREFIX = 'parvis-app-'
const NAME = PREFIX + __VERSION__
const PAGE = '/'
const FILES = new Set(__FILES__)
/** What the node answers itself, also when it is asked for as a page. */
const OF_THE_NODE = /^\/(api|dav|\.well-known|ws|yjs|hocuspocus|socket\.io|metrics|livez|readyz)(\/|$)/

worker.addEventListener('install', (event) => event.waitUntil(keep()))
worker.addEventListener('activate', (event) => event.waitUntil(forgetOthers().then(() => worker.clients.claim())))
worker.addEventListener('fetch', (event) => {
  const { request } = event
  const url = new URL(request.url)
  if (request.method !== 'GET' || url.origin !== location.origin || OF_THE_NODE.test(url.pathname)) return
  if (FILES.has(url.pathname)) event.respondWith(kept(url.pathname, request))
  else if (request.mode === 'navigate') event.respondWith(kept(PAGE, request))
})
// The page asks when its reader wants the new version: never in the middle of a sentence.
worker.addEventListener('message', (event) => {
  if (event.data === 'take over') void worker.skipWaiting()
})

/** Fetches the whole app anew; files whose names carry a hash may come from the browser's cache. */
async function keep(): Promise<void> {
  const cache = await caches.open(NAME)
  await cache.addAll(__FILES__.map((file) => new Request(file, { cache: file.startsWith('/assets/') ? 'default' : 'reload' })))
}

async function forgetOthers(): Promise<void> {
  const names = await caches.keys()
  await Promise.all(names.filter((name) => name.startsWith(PREFIX) && name !== NAME).map((name) => caches.delete(name)))
}

/**
 * The file of this version; if the browser has thrown it away, whatever the node has. Opening the cache would
 * make it anew, empty, for a last question that comes when the next version has removed it.
 */
async function kept(path: string, request: Request): Promise<Response> {
  return (await caches.match(path, { cacheName: NAME })) ?? fetch(request)
}
