// Asking while one types: once per pause, and only the newest answer counts.
import { flushSync } from 'svelte'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { type Asking, useAsking } from './asking.svelte'

interface Question {
  readonly words: string
  readonly signal: AbortSignal
  readonly answer: (found: string) => void
  readonly fail: (error: Error) => void
}
const questions: Question[] = []
let words = $state('')
let asking: Asking<string>
let end: () => void

beforeEach(() => {
  vi.useFakeTimers()
  questions.length = 0
  words = ''
  end = $effect.root(() => {
    asking = useAsking(() => words, (asked, signal) => new Promise<string>((answer, fail) => questions.push({ words: asked, signal, answer, fail })))
  })
  flushSync()
})
afterEach(() => {
  end()
  vi.useRealTimers()
})

async function type(text: string, pause = true): Promise<void> {
  words = text
  flushSync()
  if (pause) await vi.advanceTimersByTimeAsync(150)
}

test('what is typed without a pause is asked once', async () => {
  await type('h', false)
  await type('he', false)
  await type(' hel ')
  expect(questions.map((each) => each.words)).toEqual(['hel'])
  expect(asking.isBusy).toBe(true)
  questions[0]?.answer('helix')
  await vi.advanceTimersByTimeAsync(0)
  expect([asking.found, asking.failed, asking.isBusy]).toEqual(['helix', null, false])
})

test('an answer to words that are no longer there counts no more', async () => {
  await type('one')
  await type('two')
  expect(questions[0]?.signal.aborted).toBe(true)
  questions[1]?.answer('second')
  await vi.advanceTimersByTimeAsync(0)
  questions[0]?.answer('first')
  await vi.advanceTimersByTimeAsync(0)
  expect(asking.found).toBe('second')
})

test('a failure is told until other words are typed', async () => {
  await type('one')
  questions[0]?.fail(new Error('no line'))
  await vi.advanceTimersByTimeAsync(0)
  expect([asking.found, String(asking.failed), asking.isBusy]).toEqual([null, 'Error: no line', false])
  await type('two', false)
  expect(asking.failed).toBeNull()
})

test('without words nothing is asked and nothing was found', async () => {
  await type('one')
  questions[0]?.answer('first')
  await vi.advanceTimersByTimeAsync(0)
  await type('   ')
  expect([asking.found, questions.length]).toEqual([null, 1])
})
