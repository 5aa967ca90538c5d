// How the inside of a text block differs from what it was: which words, which letters.
import type { Node } from '@tiptap/pm/model'
import { isSame } from './write'

/** Stands for a mention or a line break where contents are compared as strings. */
export const OBJECT = '\uFFFC'

export interface Line {
  text: string
  /** The inline nodes that are not text, by their place. */
  objects: Map<number, Node>
}

/** What stood at `start` to `oldEnd` is now what stands at `newStart` to `newEnd`. */
export interface Stretch {
  start: number
  oldEnd: number
  newStart: number
  newEnd: number
}

/** Beyond this many words squared a change is written as one stretch. */
const MOST_WORK = 250_000

/** The stretches that differ, in order; where a lot does, the words in it that stayed are found. */
export function differences(before: Line, now: Line, cursor: number | null): Stretch[] {
  const { start, oldEnd, newEnd } = difference(before, now, cursor)
  const whole = { start, oldEnd, newStart: start, newEnd }
  if (oldEnd === start || newEnd === start) return oldEnd === newEnd ? [] : [whole]
  const old = wordsOf(before, start, oldEnd)
  const fresh = wordsOf(now, start, newEnd)
  if (old.length < 3 || fresh.length < 3 || old.length * fresh.length > MOST_WORK) return [whole]
  return compareWords(old, fresh, whole)
}

interface Word {
  text: string
  object: Node | undefined
  at: number
}

function wordsOf({ text, objects }: Line, from: number, to: number): Word[] {
  return [...text.slice(from, to).matchAll(/[\p{L}\p{N}\p{M}]+|\s+|[^\p{L}\p{N}\p{M}\s]/gu)].map((match) => {
    const at = from + match.index
    return { text: match[0], object: objects.get(at), at }
  })
}

/** The longest common subsequence of the words tells which stayed. */
function compareWords(old: readonly Word[], fresh: readonly Word[], { oldEnd, newEnd }: Stretch): Stretch[] {
  const width = fresh.length + 1
  const lengths = new Uint32Array((old.length + 1) * width)
  const isSameWord = (one: Word, other: Word) => one.text === other.text && isSameObject(one.object, other.object)
  for (let row = old.length - 1; row >= 0; row -= 1) {
    for (let column = fresh.length - 1; column >= 0; column -= 1) {
      lengths[row * width + column] = isSameWord(old[row]!, fresh[column]!)
        ? lengths[(row + 1) * width + column + 1]! + 1
        : Math.max(lengths[(row + 1) * width + column]!, lengths[row * width + column + 1]!)
    }
  }
  const stretches: Stretch[] = []
  let row = 0
  let column = 0
  const placeIn = (words: readonly Word[], index: number, end: number) => words[index]?.at ?? end
  while (row < old.length || column < fresh.length) {
    const [fromRow, fromColumn] = [row, column]
    while (row < old.length || column < fresh.length) {
      if (row < old.length && column < fresh.length && isSameWord(old[row]!, fresh[column]!)) break
      const isDeleted = column >= fresh.length || (row < old.length && lengths[(row + 1) * width + column]! >= lengths[row * width + column + 1]!)
      if (isDeleted) row += 1
      else column += 1
    }
    if (row > fromRow || column > fromColumn) {
      stretches.push({
        start: placeIn(old, fromRow, oldEnd),
        oldEnd: placeIn(old, row, oldEnd),
        newStart: placeIn(fresh, fromColumn, newEnd),
        newEnd: placeIn(fresh, column, newEnd),
      })
    }
    while (row < old.length && column < fresh.length && isSameWord(old[row]!, fresh[column]!)) {
      row += 1
      column += 1
    }
  }
  return stretches
}

/**
 * The one stretch that holds all that differs. Where the same letters stand side by side, more than
 * one stretch explains the change: the one that ends at the cursor is what the person did.
 */
function difference(before: Line, now: Line, cursor: number | null): { start: number; oldEnd: number; newEnd: number } {
  const least = Math.min(before.text.length, now.text.length)
  const typedTo = cursor !== null && cursor >= 0 && cursor <= now.text.length ? cursor : null
  let tail = 0
  const mostTail = typedTo === null ? 0 : Math.min(least, now.text.length - typedTo)
  while (tail < mostTail && isAlike(before, before.text.length - 1 - tail, now, now.text.length - 1 - tail)) tail += 1
  let head = 0
  while (head < least - tail && isAlike(before, head, now, head)) head += 1
  while (
    tail < least - head &&
    isAlike(before, before.text.length - 1 - tail, now, now.text.length - 1 - tail)
  ) tail += 1
  // Half of a surrogate pair cannot be sent.
  if (head > 0 && (isHigh(before.text, head - 1) || isHigh(now.text, head - 1))) head -= 1
  if (tail > 0 && (isLow(before.text, before.text.length - tail) || isLow(now.text, now.text.length - tail))) tail -= 1
  return { start: head, oldEnd: before.text.length - tail, newEnd: now.text.length - tail }
}

function isAlike(before: Line, oldAt: number, now: Line, newAt: number): boolean {
  if (before.text.charCodeAt(oldAt) !== now.text.charCodeAt(newAt)) return false
  return isSameObject(before.objects.get(oldAt), now.objects.get(newAt))
}

/** Marks of objects are not shared. */
function isSameObject(one: Node | undefined, other: Node | undefined): boolean {
  if (one === undefined || other === undefined) return one === other
  return one === other || (one.type === other.type && isSame(one.attrs, other.attrs))
}

function isHigh(text: string, at: number): boolean {
  const code = text.charCodeAt(at)
  return code >= 0xd800 && code <= 0xdbff
}

function isLow(text: string, at: number): boolean {
  const code = text.charCodeAt(at)
  return code >= 0xdc00 && code <= 0xdfff
}
