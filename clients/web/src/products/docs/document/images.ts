// The images of a document as object URLs: fetched with whatever lets one in, kept for when there is no network.
import { Refusal } from '@shell/api'
import { words } from '@shell/refusals'
import { fetchFile } from '../api'
import { imagesOf } from '../offline'
import { t } from '../words'

/** The sentence for an image that the server does not take. */
export function whyNoImage(error: unknown): string {
  const code = error instanceof Refusal ? error.code : ''
  if (code === 'malformed') return t('image.broken')
  return code === 'too_large' ? t('image.tooLarge') : words(error)
}

export class Images {
  readonly #key: string
  readonly #token: () => Promise<string | undefined>
  /** Where images are kept on this device; null: nowhere. */
  readonly #cache: string | null
  readonly #urls = new Map<string, Promise<string>>()
  #over = false

  constructor(key: string, token: () => Promise<string | undefined>, user: string | null) {
    this.#key = key
    this.#token = token
    this.#cache = user !== null && 'caches' in globalThis ? imagesOf(user) : null
  }

  /** An address for an `img`. Rejects if it can neither be fetched nor is kept here. */
  readonly url = (hash: string): Promise<string> => {
    let url = this.#urls.get(hash)
    if (url === undefined) {
      url = this.#fetch(hash)
      this.#urls.set(hash, url)
      // Another attempt may go better.
      url.catch(() => this.#urls.delete(hash))
    }
    return url
  }

  destroy(): void {
    this.#over = true
    for (const url of this.#urls.values()) void url.then((each) => URL.revokeObjectURL(each)).catch(() => undefined)
    this.#urls.clear()
  }

  async #fetch(hash: string): Promise<string> {
    const name = `/docs/${this.#key}/files/${hash}`
    const cache = this.#cache === null ? null : await caches.open(this.#cache).catch(() => null)
    // What a hash names never changes.
    let response = (await cache?.match(name).catch(() => undefined)) ?? null
    if (response === null) {
      response = await fetchFile(this.#key, hash, await this.#token())
      if (cache !== null) await cache.put(name, response.clone()).catch(() => undefined)
    }
    const blob = await response.blob()
    if (!blob.type.startsWith('image/')) throw new Refusal('strange_answer', `an image of type ${blob.type}`)
    const url = URL.createObjectURL(blob)
    if (this.#over) URL.revokeObjectURL(url)
    return url
  }
}
