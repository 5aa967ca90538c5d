// New versions of the app: the service worker fetches them, the reader says when.

const state = $state<{ isReady: boolean }>({ isReady: false })
let waiting: ServiceWorker | null = null
/** So often is asked for a new version, in milliseconds, also in a tab that nobody closes. */
const ASK_EVERY = 60 * 60 * 1000

/** A newer version waits to take over. Reactive. */
export function isUpdateReady(): boolean {
  return state.isReady
}

/** Not now: it takes over when all tabs have been closed. */
export function postpone(): void {
  state.isReady = false
}

/** Lets the new version take over and loads the page again. */
export function update(): void {
  navigator.serviceWorker.addEventListener('controllerchange', () => location.reload(), { once: true })
  waiting?.postMessage('take over')
}

/** Registers the service worker of a built app. Without one (an old browser) there is no offline start. */
export function startUpdates(): void {
  if (!import.meta.env.PROD || !('serviceWorker' in navigator) || !window.isSecureContext) return
  navigator.serviceWorker.register('/sw.js').then(watch, (error: unknown) => console.warn('no offline start:', error))
}

function watch(registration: ServiceWorkerRegistration): void {
  const offer = (worker: ServiceWorker | null) => {
    // Without a controller this is the first version ever: it needs no question.
    if (!worker || !navigator.serviceWorker.controller) return
    waiting = worker
    state.isReady = true
  }
  offer(registration.waiting)
  registration.addEventListener('updatefound', () => {
    const worker = registration.installing
    worker?.addEventListener('statechange', () => worker.state === 'installed' && offer(worker))
  })
  setInterval(() => void registration.update().catch(() => undefined), ASK_EVERY)
}
