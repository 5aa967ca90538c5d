// Which parts of a document transactions changed.
import type { Transaction } from '@tiptap/pm/state'
import { isRemote } from '../binding/binding'

export interface Range {
  from: number
  to: number
}

/** Whether the person here changed the document, and not somebody else or an undo. */
export function isLocalChange(transactions: readonly Transaction[]): boolean {
  return transactions.some((tr) => tr.docChanged && !isRemote(tr))
}

/** The changed stretches, as positions in the document after the last of `transactions`. */
export function changedRanges(transactions: readonly Transaction[]): Range[] {
  const ranges: Range[] = []
  transactions.forEach((tr, at) => {
    tr.mapping.maps.forEach((map, step) => {
      map.forEach((_oldStart, _oldEnd, newStart, newEnd) => {
        const rest = tr.mapping.slice(step + 1)
        let from = rest.map(newStart, -1)
        let to = rest.map(newEnd, 1)
        for (const later of transactions.slice(at + 1)) {
          from = later.mapping.map(from, -1)
          to = later.mapping.map(to, 1)
        }
        ranges.push({ from, to })
      })
    })
  })
  return ranges
}
