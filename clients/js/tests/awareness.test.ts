// Who is here: what is sent of the own state, and what is believed of others'.
import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { Awareness, applyAwarenessUpdate, encodeAwarenessUpdate } from 'y-protocols/awareness'
import * as Y from 'yjs'
import { PartAwareness } from '../src/index.js'
import { Clock } from './lab.js'

interface Vector {
  entries: { client: number; clock: number; state: string | null }[]
  bytes: string
}
const vectors = JSON.parse(
  readFileSync(new URL('../../../protocol/vectors/awareness.json', import.meta.url), 'utf8'),
) as { updates: Vector[]; malformed: { updates: string[] } }
const bytes = (hex: string): Uint8Array => new Uint8Array(Buffer.from(hex, 'hex'))

interface Scene {
  clock: Clock
  awareness: PartAwareness
  sent: Uint8Array[]
  /** What a peer shows of us after all that was sent. */
  shown(): unknown
}

function scene(): Scene {
  const clock = new Clock()
  const sent: Uint8Array[] = []
  const awareness = new PartAwareness(new Y.Doc(), clock.platform, (states) => sent.push(states))
  const peer = new Awareness(new Y.Doc())
  clearInterval(peer._checkInterval as number)
  return {
    clock,
    awareness,
    sent,
    shown() {
      for (const states of sent) applyAwarenessUpdate(peer, states, 'test')
      return peer.getStates().get(awareness.clientID)
    },
  }
}

function someone(state: object | null, clock = 1, client = 77): Uint8Array {
  const awareness = new Awareness(new Y.Doc())
  clearInterval(awareness._checkInterval as number)
  awareness.meta.set(client, { clock, lastUpdated: 0 })
  return encodeAwarenessUpdate(awareness, [client], new Map(state === null ? [] : [[client, state]]))
}

describe('the golden vectors', () => {
  test.each(vectors.updates)('are believed: $bytes', ({ entries, bytes: hex }) => {
    const { awareness } = scene()
    awareness.opened(bytes(hex))
    const here = entries.filter(({ state }) => state !== null)
    const states = Object.fromEntries(here.map(({ client, state }) => [client, JSON.parse(state!)]))
    const others = [...awareness.getStates()].filter(([client]) => client !== awareness.clientID)
    expect(Object.fromEntries(others)).toEqual(states)
  })

  test.each(vectors.updates)('are written the same: $bytes', ({ entries, bytes: hex }) => {
    const { awareness } = scene()
    for (const { client, clock } of entries) awareness.meta.set(client, { clock, lastUpdated: 0 })
    const here = entries.filter(({ state }) => state !== null)
    const states = new Map(here.map(({ client, state }) => [client, JSON.parse(state!) as object]))
    const written = encodeAwarenessUpdate(awareness, entries.map(({ client }) => client), states)
    expect(Buffer.from(written).toString('hex')).toBe(hex)
  })

  test.each(vectors.malformed.updates)('what is malformed changes nobody: %s', (hex) => {
    const { awareness } = scene()
    awareness.opened(someone({ name: 'Bo' }))
    awareness.heard(bytes(hex))
    expect(awareness.getStates().get(77)).toEqual({ name: 'Bo' })
  })
})

test('nothing is sent before there is something to show', () => {
  const { awareness, sent } = scene()
  awareness.opened(new Uint8Array())
  expect(sent).toEqual([])
  awareness.setLocalStateField('cursor', 1)
  expect(sent.length).toBe(1)
})

test('a state is shown again after each join', () => {
  const { awareness, sent, shown } = scene()
  awareness.setLocalStateField('cursor', 1)
  expect(sent).toEqual([])
  awareness.opened(new Uint8Array())
  awareness.lost()
  sent.length = 0
  awareness.opened(new Uint8Array())
  expect(shown()).toEqual({ cursor: 1 })
})

test('a cursor that moves fast is sent at intervals, the last place included', async () => {
  const { awareness, sent, shown, clock } = scene()
  awareness.opened(new Uint8Array())
  for (let cursor = 0; cursor < 100; cursor++) awareness.setLocalStateField('cursor', cursor)
  await clock.pass(0.2)
  expect(sent.length).toBe(2)
  expect(shown()).toEqual({ cursor: 99 })
})

test('a state that stays is renewed, and a state taken away is gone for others', async () => {
  const { awareness, sent, shown, clock } = scene()
  awareness.opened(new Uint8Array())
  awareness.setLocalStateField('cursor', 1)
  await clock.pass(31)
  expect(sent.length).toBe(3)
  awareness.setLocalState(null)
  expect(shown()).toBeUndefined()
  await clock.pass(60)
  expect(sent.length).toBe(4)
})

test('an echo of an older own state undoes nothing, and its clock is passed', () => {
  const { awareness, sent } = scene()
  awareness.opened(new Uint8Array())
  awareness.setLocalStateField('cursor', 2)
  awareness.heard(someone({ cursor: 1 }, 50, awareness.clientID))
  expect(awareness.getLocalState()).toEqual({ cursor: 2 })
  awareness.setLocalStateField('cursor', 3)
  expect(awareness.meta.get(awareness.clientID)!.clock).toBeGreaterThan(50)
  expect(sent.length).toBe(1)
})

test('who is said to be gone while still here says otherwise', async () => {
  const { awareness, shown, clock, sent } = scene()
  awareness.opened(new Uint8Array())
  awareness.setLocalStateField('cursor', 2)
  awareness.heard(someone(null, 50, awareness.clientID))
  await clock.pass(0.1)
  expect(sent.length).toBe(2)
  expect(shown()).toEqual({ cursor: 2 })
})

test('a leaver goes at once; a lost connection takes everyone away, and they come back with it', () => {
  const { awareness } = scene()
  const removed: number[] = []
  awareness.on('change', (change: { removed: number[] }) => removed.push(...change.removed))
  awareness.opened(someone({ name: 'Bo' }, 9))
  awareness.heard(someone(null, 10))
  expect(removed).toEqual([77])
  awareness.heard(someone({ name: 'Bo' }, 11))
  awareness.lost()
  expect(removed).toEqual([77, 77])
  // A node that was started again counts from the beginning.
  awareness.opened(someone({ name: 'Bo' }, 1))
  expect(awareness.getStates().get(77)).toEqual({ name: 'Bo' })
})

test('a wall clock that jumps takes nobody away', async () => {
  const { awareness, clock } = scene()
  const now = Date.now
  awareness.opened(someone({ name: 'Bo' }))
  Date.now = () => now() + 3_600_000
  await clock.pass(40)
  Date.now = now
  expect(awareness.getStates().has(77)).toBe(true)
})
