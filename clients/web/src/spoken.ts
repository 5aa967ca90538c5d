// What screen readers are told without the focus moving there.
import { byId } from './dom'

/** Has `sentence` read out once whoever listens is not in the middle of something else. */
export function tell(sentence: string): void {
  byId('spoken', HTMLElement).textContent = sentence
}
