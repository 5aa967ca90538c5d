// What the page says when the server says no: by the code of the answer, in the reader's language.
import { say, type Word } from './words'

/** Code of the answer → what the page says. */
const WORDS: Readonly<Record<string, Word>> = {
  unauthenticated: 'wrongPassword',
  set_up_closed: 'setupClosed',
  invalid_account: 'wrongAccount',
  email_taken: 'emailTaken',
  busy: 'busy',
  store_unavailable: 'busy',
  internal: 'broken',
}
const LENGTHS = /(\d+) to (\d+) characters/

/**
 * The sentence for an answer. `message` is the server's own, in English, for codes that have no
 * sentence here; `wait` is how many seconds it asks for, 0 for none.
 */
export function sayRefusal(code: string, message: string, wait: number): string {
  if (code === 'too_many_attempts') return say('tooMany', { n: wait || 60 })
  if (code === 'weak_password') {
    const [, least, most] = LENGTHS.exec(message) ?? []
    return least && most ? say('passwordLength', { least, most }) : say('passwordKnown')
  }
  const word = WORDS[code]
  if (word) return say(word)
  return message ? say('serverSays', { reason: message }) : say('strange')
}
