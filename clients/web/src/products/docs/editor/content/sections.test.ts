// Which blocks of a long document are drawn together.
import { expect, test } from 'vitest'
import { divided, MOST, TYPICAL } from './sections'

type Blocks = readonly number[]
const range = (from: number, to: number) => Array.from({ length: to - from }, (_, at) => from + at)

/** The sections of `blocks`, of which some were in those of `before`; `fresh` have just been put where they are. */
function divide(blocks: Blocks, before: readonly Blocks[] = [], fresh: Blocks = []): [Blocks | null, Blocks][] {
  return divided(blocks, before, (block) => (fresh.includes(block) ? undefined : before.find((each) => each.includes(block))))
}

test('a document is divided evenly, in order', () => {
  const found = divide(range(0, 1000))
  expect(found.flatMap(([, blocks]) => blocks)).toEqual(range(0, 1000))
  expect(found.every(([before]) => before === null)).toBe(true)
  for (const [, { length }] of found) expect(Math.abs(length - TYPICAL)).toBeLessThanOrEqual(1)
})

test('a new block joins those above it, and no other section changes', () => {
  const before = [range(0, 30), range(30, 60), range(60, 90)] as const
  expect(divide([...range(0, 40), 100, ...range(40, 90)], before)).toEqual([
    [before[0], before[0]],
    [before[1], [...range(30, 40), 100, ...range(40, 60)]],
    [before[2], before[2]],
  ])
  expect(divide([100, ...range(0, 90)], before)).toEqual([
    [null, [100]],
    ...before.map((each) => [each, each]),
  ])
})

test('a block that was moved changes two sections', () => {
  const before = [range(0, 30), range(30, 60), range(60, 90)] as const
  expect(divide([...range(0, 10), 70, ...range(10, 70), ...range(71, 90)], before, [70])).toEqual([
    [before[0], [...range(0, 10), 70, ...range(10, 30)]],
    [before[1], before[1]],
    [before[2], [...range(60, 70), ...range(71, 90)]],
  ])
})

test('a section that is emptied goes, and one that grows too large is divided', () => {
  const before = [range(0, 30), range(30, 60), range(60, 90)] as const
  expect(divide([...range(0, 30), ...range(60, 90)], before)).toEqual([
    [before[0], before[0]],
    [before[2], before[2]],
  ])
  const many = range(1000, 1000 + MOST)
  const found = divide([...range(0, 30), ...many, ...range(30, 90)], before)
  expect(found[0]).toEqual([before[0], range(0, found[0]![1].length)])
  for (const [, { length }] of found.slice(0, -2)) expect(Math.abs(length - TYPICAL)).toBeLessThanOrEqual(1)
  expect(found.slice(-2)).toEqual([[before[1], before[1]], [before[2], before[2]]])
  expect(found.flatMap(([, blocks]) => blocks)).toEqual([...range(0, 30), ...many, ...range(30, 90)])
})
