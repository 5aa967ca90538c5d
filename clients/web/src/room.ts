// One open document: the Yjs document, the stock provider, and what the light may claim.
import { HocuspocusProvider, HocuspocusProviderWebsocket } from '@hocuspocus/provider'
import { Awareness } from 'y-protocols/awareness'
import * as Y from 'yjs'
import { socketAddress } from './address'
import { LATE_AFTER, lightFor, type Light } from './light'

/**
 * The stock socket, except that it forgets what was sent while it was closed.
 *
 * The stock one keeps such messages and sends them after the handshake, while the provider's
 * counter starts again at 1: the first of their confirmations would turn the light to "saved"
 * although the others are still out. The handshake carries all changes anyway.
 */
class Socket extends HocuspocusProviderWebsocket {
  override send(message: unknown): void {
    if (this.webSocket?.readyState === WebSocket.OPEN) super.send(message)
  }
}

export interface Person {
  name: string
  color: string
}

export interface RoomEvents {
  /** What may be claimed has changed; see `OpenRoom.hasUnsaved` too. */
  onLight(light: Light): void
  onPeople(): void
  /** The server refused the token; `reason` is its own word. */
  onRefused(reason: string): void
  onAccepted(viewOnly: boolean): void
}

/** A document joined over the network. `close()` leaves it. */
export class OpenRoom {
  readonly document = new Y.Doc()
  readonly text = this.document.getText('text')
  readonly awareness = new Awareness(this.document)
  readonly provider: HocuspocusProvider
  readonly #socket: Socket
  readonly #events: RoomEvents
  readonly #undo = new AbortController()
  #everSynced = false
  #lost = false
  #unsynced = 0
  #patience: number | undefined
  #late = false
  #viewOnly = false
  #changed = false

  constructor(key: string, token: string, person: Person, events: RoomEvents) {
    this.#events = events
    this.#socket = new Socket({
      url: socketAddress(),
      autoConnect: false,
      delay: 500,
      minDelay: 500,
      maxDelay: 5000,
    })
    this.provider = new HocuspocusProvider({
      websocketProvider: this.#socket,
      name: `plain/${key}`,
      document: this.document,
      awareness: this.awareness,
      token,
      onSynced: () => {
        this.#everSynced = true
        this.#lost = false
        this.#tell()
      },
      onUnsyncedChanges: ({ number }) => this.#count(number),
      onDisconnect: () => {
        this.#lost = true
        this.#tell()
      },
      onAuthenticated: ({ scope }) => {
        this.#viewOnly = scope === 'readonly'
        events.onAccepted(this.#viewOnly)
      },
      onAuthenticationFailed: ({ reason }) => {
        // The stock provider would come back with the same token for ever.
        this.#socket.disconnect()
        events.onRefused(reason)
      },
      onAwarenessChange: () => events.onPeople(),
    })
    this.document.on('update', (_update: Uint8Array, origin: unknown) => {
      this.#changed ||= origin !== this.provider
    })
    this.introduce(person)
    this.provider.attach()
    void this.#socket.connect()

    const { signal } = this.#undo
    addEventListener('online', () => void this.#socket.connect(), { signal })
    addEventListener('offline', () => this.#socket.webSocket?.close(), { signal })
    addEventListener('beforeunload', (event) => this.hasUnsaved && event.preventDefault(), { signal })
  }

  /** Whether closing the tab now could lose a change. */
  get hasUnsaved(): boolean {
    return !this.#viewOnly && this.#changed
  }

  /** Tells the others who this is. The node stamps signed-in people's own name over it. */
  introduce(person: Person): void {
    const user = { ...person, colorLight: `${person.color}33` }
    this.awareness.setLocalState({ ...this.awareness.getLocalState(), user })
  }

  /** Is no longer shown to anybody, but stays until its changes are saved: see `hasUnsaved`. */
  leave(): void {
    this.awareness.setLocalState(null)
  }

  /** Is shown again, to `person`, and tries to get in with `token` if it was refused. */
  comeBack(person: Person, token: string): void {
    this.provider.configuration.token = token
    this.introduce(person)
    void this.#socket.connect()
    this.#tell()
  }

  close(): void {
    this.#undo.abort()
    this.#stopWaiting()
    this.provider.destroy()
    this.#socket.destroy()
    this.document.destroy()
  }

  #count(unsynced: number): void {
    if (unsynced < this.#unsynced || unsynced === 0) this.#stopWaiting()
    this.#unsynced = unsynced
    // The counter counts the handshake too: only its end says that everything is durable.
    if (unsynced === 0) this.#changed = false
    if (unsynced > 0) this.#patience ??= setTimeout(() => this.#runOut(), LATE_AFTER)
    this.#tell()
  }

  #runOut(): void {
    this.#late = true
    this.#tell()
  }

  #stopWaiting(): void {
    clearTimeout(this.#patience)
    this.#patience = undefined
    this.#late = false
  }

  #tell(): void {
    this.#events.onLight(
      lightFor({
        everSynced: this.#everSynced,
        synced: this.provider.isSynced,
        lost: this.#lost,
        unsynced: this.provider.unsyncedChanges,
        late: this.#late,
        viewOnly: this.#viewOnly,
      }),
    )
  }
}
