// @vitest-environment jsdom
// Comments keep their words while people split, merge, move, cut, paste, type, delete and undo.
//
// What is right says `oracle.ts`. Looked at is what every client shows of every comment, after all have read
// everything, every eight changes. Nothing is left out; comments whose words somebody has ever torn apart or
// doubled are counted by themselves as well.
//
// The seeds are fixed, so that every run is the same; a short one is part of every test run.
// `PARVIS_ANCHOR_OPERATIONS=2000` is the full count, also of people who always read each other first,
// `PARVIS_ANCHOR_SEED` its first seed, `PARVIS_ANCHOR_APART` says how many of a hundred changes are made
// without having read the others', `PARVIS_ANCHOR_VERBOSE=1` shows what is wrong.
import { expect, test } from 'vitest'
import { type Client, COMMENTS, dice, Meeting } from './meeting'
import { isApart, oracle, wrong } from './oracle'

const ENVIRONMENT = (globalThis as unknown as { process: { env: Record<string, string | undefined> } }).process.env
const FULL = ENVIRONMENT['PARVIS_ANCHOR_OPERATIONS'] !== undefined
const OPERATIONS = Number(ENVIRONMENT['PARVIS_ANCHOR_OPERATIONS'] ?? 80)
const SEED = Number(ENVIRONMENT['PARVIS_ANCHOR_SEED'] ?? 50)
const APART = Number(ENVIRONMENT['PARVIS_ANCHOR_APART'] ?? 10)
const VERBOSE = ENVIRONMENT['PARVIS_ANCHOR_VERBOSE'] === '1'
const PER_RUN = 80
const BETWEEN = 8

interface Count {
  right: number
  looks: number
}

function play(people: number, apart: number): { all: Count; together: Count; separated: Count; failures: string[] } {
  const [together, separated]: [Count, Count] = [{ right: 0, looks: 0 }, { right: 0, looks: 0 }]
  const failures: string[] = []
  for (let ran = 0, seed = SEED; ran < OPERATIONS; seed += 1) {
    const roll = dice(seed)
    const meeting = new Meeting(roll, people, apart)
    meeting.settle()
    while (meeting.threads.size < COMMENTS) {
      meeting.comment(meeting.clients[roll(people)] as Client)
      meeting.settle()
    }
    // The past of the text is nobody's to undo: the oracle's marks came after it.
    for (const { binding } of meeting.clients) binding.undoManager.clear()
    const once = new Set<string>()
    const done: string[] = []
    for (let step = 1; step <= PER_RUN; step += 1, ran += 1) {
      done.push(meeting.step())
      const settles = step % BETWEEN === 0
      if (settles) meeting.settle()
      for (const { view } of meeting.clients) {
        for (const thread of meeting.threads.keys()) if (!once.has(thread) && isApart(oracle(view.state.doc, thread))) once.add(thread)
      }
      if (!settles) continue
      meeting.clients.forEach(({ view, anchors }, client) => {
        const places = anchors.places()
        for (const thread of meeting.threads.keys()) {
          const fault = wrong(view.state.doc, thread, places.get(thread)?.ranges ?? [])
          const count = once.has(thread) ? separated : together
          count.looks += 1
          if (fault === null) count.right += 1
          else failures.push(`${count === separated ? 'separated' : 'together'}: seed ${seed}, step ${step}, client ${client}, ${thread}: ${fault.slice(0, 400)} after ${done.slice(-BETWEEN).join(' ')}`)
        }
      })
    }
    meeting.close()
  }
  return { all: { right: together.right + separated.right, looks: together.looks + separated.looks }, together, separated, failures }
}

const share = ({ right, looks }: Count): number => (looks === 0 ? 1 : right / looks)
const said = (count: Count): string => `${count.right} of ${count.looks} (${(share(count) * 100).toFixed(3)} %)`

test.each<readonly [number, number, number]>([
  [1, 0, 0.999],
  ...(FULL ? [[3, 0, 0.999] as const] : []),
  [3, APART, 0.999],
])('%i people, who write %i %% of their changes without having read the others, keep at least %d of the comments at their words', (people, apart, least) => {
  const { all, together, separated, failures } = play(people, apart)
  console.info(`${people} people, ${apart} % apart, ${OPERATIONS} changes from seed ${SEED}: all ${said(all)}, words always together ${said(together)}, once torn apart or doubled ${said(separated)}`)
  if (VERBOSE || share(all) < least) console.info(failures.slice(0, 40).join('\n'))
  expect(share(all)).toBeGreaterThanOrEqual(least)
}, 600_000)
