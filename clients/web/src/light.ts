// The honest light: what the page may claim about the reader's changes, and how it shows it.
import { tell } from './spoken'
import { say, speak, type Word } from './words'

/** What is known about the connection and about the changes that left this page. */
export interface Facts {
  /** False until the first handshake has ended. */
  everSynced: boolean
  /** The handshake has ended and the socket is open. */
  synced: boolean
  /** An attempt to connect has failed, or a connection has ended. */
  lost: boolean
  /** The provider's counter: changes that the server has not called durable. */
  unsynced: number
  /** For longer than a moment the server has confirmed none of them. */
  late: boolean
  /** The server lets this person read only. */
  viewOnly: boolean
}

export type Light = 'connecting' | 'saved' | 'saving' | 'unsaved' | 'offline' | 'viewOnly'

/** The one light that `facts` allow. "saved" needs an open socket and nothing unconfirmed. */
export function lightFor(facts: Facts): Light {
  if (facts.lost && !facts.synced) return 'offline'
  if (!facts.everSynced || !facts.synced) return 'connecting'
  if (facts.viewOnly) return 'viewOnly'
  if (facts.unsynced === 0) return 'saved'
  return facts.late ? 'unsaved' : 'saving'
}

const NOTICES: Partial<Record<Light, Word>> = {
  offline: 'offlineNotice',
  unsaved: 'unsavedNotice',
  viewOnly: 'viewNotice',
}

/** What somebody who only reads is told instead. */
const NOTICES_TO_READERS: Partial<Record<Light, Word>> = { offline: 'offlineToRead' }

/** After this many milliseconds "saving" becomes "not saved yet". */
export const LATE_AFTER = 2000
/** "Saved" is said once nothing has been unconfirmed for so long, to keep steady under typing. */
const CALM_AFTER = 350

/**
 * Shows the light in `root` and a sentence in `notice` when the light needs one.
 *
 * Screen readers are told politely when something goes wrong and when it is right again; not of
 * every "saving" and "saved" in between, which would talk over whoever is writing.
 */
export class LightView {
  /** Whether this person can only read; it changes what a lost connection means to them. */
  viewOnly = false
  readonly #root: HTMLElement
  readonly #word: HTMLElement
  readonly #notice: HTMLElement
  #shown: Light = 'connecting'
  #told: Light = 'connecting'
  #calm: number | undefined

  constructor(root: HTMLElement, word: HTMLElement, notice: HTMLElement) {
    this.#root = root
    this.#word = word
    this.#notice = notice
    root.hidden = false
    speak(() => this.#paint())
  }

  show(light: Light): void {
    clearTimeout(this.#calm)
    const settling = light === 'saved' && this.#shown === 'saving'
    if (settling) this.#calm = setTimeout(() => this.#set(light), CALM_AFTER)
    else this.#set(light)
  }

  #set(light: Light): void {
    if (light === this.#shown) return
    this.#shown = light
    this.#paint()
    const passing = light === 'connecting' || light === 'saving'
    if (passing || light === this.#told) return
    this.#told = light
    tell([say(light), this.#notice.textContent].filter(Boolean).join('. '))
  }

  #paint(): void {
    this.#root.dataset['light'] = this.#notice.dataset['light'] = this.#shown
    this.#word.textContent = say(this.#shown)
    const sentence = (this.viewOnly ? NOTICES_TO_READERS[this.#shown] : undefined) ?? NOTICES[this.#shown]
    this.#notice.textContent = sentence === undefined ? '' : say(sentence)
  }
}
