// The other tabs of this browser that show the same part.

export type TabMessage =
  /** A tab has edited; `sent`: it has sent that to the server. */
  | { readonly type: 'update'; readonly life: number | null; readonly update: Uint8Array; readonly sent: boolean }
  /** A tab has opened the part, shows this state, and asks for what it lacks. */
  | { readonly type: 'hello'; readonly life: number | null; readonly state: Uint8Array }
  /** The copy on this device was thrown away; the new one has this life. */
  | { readonly type: 'cleared'; readonly life: number }

/** A channel to them; silent where the platform has none. */
export class Tabs {
  readonly #channel: BroadcastChannel | null

  constructor(name: string, heard: (message: TabMessage) => void) {
    this.#channel = typeof BroadcastChannel === 'undefined' ? null : new BroadcastChannel(name)
    if (this.#channel === null) return
    this.#channel.onmessage = (event: MessageEvent<TabMessage>) => heard(event.data)
    // In Node a channel would keep the process alive.
    ;(this.#channel as { unref?: () => void }).unref?.()
  }

  post(message: TabMessage): void {
    this.#channel?.postMessage(message)
  }

  close(): void {
    this.#channel?.close()
  }
}
