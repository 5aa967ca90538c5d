// Who has the document open, as their clients say in its awareness.
import type { DocumentPart } from '@parvis/client'

export interface Person {
  /** Of Yjs' awareness. */
  readonly client: number
  readonly id: string
  readonly name: string
  readonly color: string
  readonly self: boolean
  readonly guest: boolean
}

/** What others said of themselves is read with care: the server proves `id`, names and colours, if there are any. */
function personOf(client: number, state: unknown, self: boolean): Person | null {
  const { user } = (state ?? {}) as { user?: { id?: unknown; name?: unknown; color?: unknown; guest?: unknown } }
  if (user === undefined) return null
  return {
    client, self,
    id: typeof user.id === 'string' && user.id !== '' ? user.id : String(client),
    name: typeof user.name === 'string' ? user.name : '?',
    color: typeof user.color === 'string' ? user.color : '',
    guest: user.guest === true,
  }
}

export class People {
  /** The reader first, then the others in the order of their clients. */
  list = $state.raw<readonly Person[]>([])
  #stop: (() => void) | null = null

  /** Begins to read an awareness, in place of the one before: a document that began anew has another. */
  watch(awareness: DocumentPart['awareness']): void {
    this.stop()
    const read = (): void => {
      const people = Array.from(awareness.getStates(), ([client, state]) => personOf(client, state, client === awareness.clientID))
      this.list = people.filter((person) => person !== null).sort((a, b) => Number(b.self) - Number(a.self) || a.client - b.client)
    }
    awareness.on('change', read)
    this.#stop = () => awareness.off('change', read)
    read()
  }

  stop(): void {
    this.#stop?.()
    this.#stop = null
  }
}
