// What the document says of itself in its part `meta`: title, and whether it lies in the bin.
import type { DocumentPart } from '@parvis/client'

export class Meta {
  title = $state('')
  /** The title is what the document says, not what a list said. */
  known = $state(false)
  inBin = $state(false)
  #part: DocumentPart | null = null
  #onread: () => void = () => undefined
  #stop: (() => void) | null = null

  /** Begins to read a part; `onread` is called after each reading that found something. */
  watch(part: DocumentPart, onread: () => void): void {
    this.stop()
    this.#part = part
    this.#onread = onread
    const map = part.doc.getMap('doc')
    const read = (): void => this.read()
    map.observe(read)
    this.#stop = () => map.unobserve(read)
    read()
  }

  /** The title as the document says it; empty while it says none. */
  get said(): string {
    const title = this.#part?.doc.getMap('doc').get('title')
    return typeof title === 'string' ? title : ''
  }

  read(): void {
    const map = this.#part?.doc.getMap('doc')
    if (map === undefined || map.size === 0) return
    this.title = this.said
    this.known = true
    this.inBin = map.get('bin') === true
    this.#onread()
  }

  stop(): void {
    this.#stop?.()
    this.#stop = null
    this.#part = null
  }
}
