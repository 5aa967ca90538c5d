// An ordered part: everything once, in order, without a gap, also over pages and breaks.
import { expect, test } from 'vitest'
import { Refused, type LogPart, type Logged } from '../src/index.js'
import { pack } from '../src/wire/msgpack.js'
import { lab, settle, type Lab } from './lab.js'

const row = (offset: number): Uint8Array => pack([offset, 'u_1', 5.5, new Uint8Array([offset])])

function end(offset: number): Uint8Array {
  const bytes = new Uint8Array(8)
  new DataView(bytes.buffer).setBigUint64(0, BigInt(offset))
  return bytes
}

async function scene(after = 0): Promise<Lab & { part: LogPart; seen: number[] }> {
  const made = await lab()
  made.line().welcome()
  const part = made.session.log('mail/a', { after })
  const seen: number[] = []
  part.on('updates', (updates: readonly Logged[]) => seen.push(...updates.map(({ offset }) => offset)))
  await settle()
  return { ...made, part, seen }
}

const changed = (offset: number): { [name: string]: number | string | Uint8Array } => {
  return { channel: 7, update: new Uint8Array([offset]), offset, sender: 'u_1', time: 5.5 }
}

test('a join shows the last offset and brings what follows', async () => {
  const { line, seen, part } = await scene(41)
  expect(line().last('join')['state']).toEqual(end(41))
  line().letIn({ updates: [row(42), row(43)], state: end(43), offset: 43 })
  line().say('changed', changed(44))
  expect(seen).toEqual([42, 43, 44])
  expect(part.last).toBe(44)
})

test('what comes between pages waits for its turn', async () => {
  const { line, seen } = await scene()
  line().letIn({ updates: [row(1), row(2)], state: end(4), offset: 4 })
  expect(line().last('sync')['state']).toEqual(end(2))
  line().say('changed', changed(5))
  expect(seen).toEqual([1, 2])
  line().say('synced', { channel: 7, ref: 0, updates: [row(3), row(4)], state: end(5) })
  expect(line().last('sync')['state']).toEqual(end(4))
  line().say('synced', { channel: 7, ref: 0, updates: [row(5)], state: end(5) })
  line().say('changed', changed(6))
  expect(seen).toEqual([1, 2, 3, 4, 5, 6])
})

test('an update is answered with its offset, and comes like everyone else\'s', async () => {
  const { line, seen, part } = await scene()
  line().letIn({ state: end(0) })
  const offset = part.send(new Uint8Array([9]))
  line().say('ack', { channel: 7, ref: line().last('update')['ref']!, offset: 1 })
  line().say('changed', changed(1))
  expect(await offset).toBe(1)
  expect(seen).toEqual([1])
})

test('an update without an ack is sent again with its key', async () => {
  const { line, part, clock } = await scene()
  const offset = part.send(new Uint8Array([9])) // before the join
  line().letIn({ state: end(0) })
  const { key } = line().last('update')
  line().drop()
  await clock.pass(1)
  line().welcome()
  line().letIn({ state: end(1), updates: [row(1)] })
  expect(line().last('update')).toMatchObject({ key, update: new Uint8Array([9]) })
  line().say('ack', { channel: 7, ref: line().last('update')['ref']!, offset: 1 })
  expect(await offset).toBe(1)
})

test('a refusal rejects that update only', async () => {
  const { line, part } = await scene()
  line().letIn({ state: end(0) })
  const [first, second] = [part.send(new Uint8Array([1])), part.send(new Uint8Array([2]))]
  const refs = line().all('update').map(({ ref }) => ref as number)
  line().say('refuse', { channel: 7, ref: refs[0]!, code: 402, reason: 'taken' })
  line().say('ack', { channel: 7, ref: refs[1]!, offset: 1 })
  await expect(first).rejects.toBeInstanceOf(Refused)
  expect(await second).toBe(1)
})

test('a reset starts from the beginning and rejects what was on its way', async () => {
  const { line, part, seen } = await scene()
  line().letIn({ updates: [row(1)], state: end(1) })
  const resets: number[] = []
  part.on('reset', (code) => resets.push(code))
  const sent = part.send(new Uint8Array([1]))
  line().say('reset', { channel: 7, incarnation: 2, code: 304, reason: '' })
  await expect(sent).rejects.toBeInstanceOf(Refused)
  expect(line().last('join')['state']).toEqual(end(0))
  line().letIn({ incarnation: 2, updates: [row(1)], state: end(1) })
  expect(resets).toEqual([304])
  expect(seen).toEqual([1, 1])
})
