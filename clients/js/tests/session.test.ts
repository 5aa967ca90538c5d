// A session's connections, on a clock that is moved by hand.
import { describe, expect, test } from 'vitest'
import { Closed, type SessionSignal, type Status } from '../src/index.js'
import { lab, settle } from './lab.js'

test('it says hello with a ticket on the right subprotocol', async () => {
  const { line } = await lab({ client: 'tests/1' })
  line().welcome()
  expect(line().protocols).toEqual(['parvis.v1'])
  expect(line().said[0]).toEqual({ type: 'hello', version: 1, ticket: 'ticket', client: 'tests/1' })
})

test('it is open after the welcome, and knows its user', async () => {
  const { session, line } = await lab()
  const statuses: Status[] = []
  session.on('status', (status) => statuses.push(status))
  expect(session.status).toBe('connecting')
  line().welcome()
  expect(session.user).toEqual({ id: 'u_1', name: 'Ada', color: '#336699' })
  expect(statuses).toEqual(['open'])
})

describe('coming back', () => {
  test('each connection has a ticket of its own', async () => {
    let tickets = 0
    const { line, clock, lines } = await lab({ ticket: async () => `ticket ${++tickets}` })
    line().welcome()
    line().drop()
    await clock.pass(1)
    line().welcome()
    expect(lines()).toBe(2)
    expect(line().last('hello')['ticket']).toBe('ticket 2')
  })

  test('the waits double, up to half a minute, and start over after a good connection', async () => {
    const { line, clock, lines } = await lab()
    const waits: number[] = []
    for (let attempt = 0; attempt < 10; attempt++) {
      const before = clock.time
      const opened = lines()
      line().drop()
      while (lines() === opened) await clock.pass(0.0625)
      waits.push(clock.time - before)
    }
    expect(waits).toEqual([0.125, 0.25, 0.5, 1, 2, 4, 8, 15, 15, 15])
    line().welcome()
    await clock.pass(11)
    line().drop()
    const opened = lines()
    await clock.pass(0.125)
    expect(lines()).toBe(opened + 1)
  })

  test('a first attempt after a break is no news; a failed one is', async () => {
    const { session, line, clock } = await lab()
    line().welcome()
    const statuses: Status[] = []
    session.on('status', (status) => statuses.push(status))
    line().drop(1012)
    await clock.pass(0.2)
    line().drop()
    await clock.pass(0.3)
    line().drop()
    await clock.pass(1)
    line().welcome()
    expect(statuses).toEqual(['connecting', 'offline', 'open'])
  })

  test.each([1009, 3500, 3502, 3505])('a close with %i is final', async (code) => {
    const { session, line, clock, lines } = await lab()
    const closed: Closed[] = []
    session.on('closed', (why) => closed.push(why))
    line().welcome()
    line().drop(code, 'because')
    await clock.pass(100)
    expect(lines()).toBe(1)
    expect(session.status).toBe('closed')
    expect(closed.map((why) => [why.code, why.reason])).toEqual([[code, 'because']])
  })

  test('a ticket that died of old age is replaced once; a fresh one that is refused is final', async () => {
    const { session, line, clock, lines } = await lab()
    line().drop(3501)
    await clock.pass(1)
    expect(lines()).toBe(2)
    line().drop(3501)
    await clock.pass(100)
    expect(session.status).toBe('closed')
    expect(lines()).toBe(2)
  })

  test('a token that never changes is not shown twice', async () => {
    const { session, line } = await lab({ ticket: 'token' })
    line().drop(3501)
    expect(session.status).toBe('closed')
  })

  test('a ticket that cannot be had is asked for again', async () => {
    let failures = 0
    const { session, clock, lines } = await lab({
      ticket: () => {
        if (failures++ < 2) throw new TypeError('Failed to fetch')
        return 'ticket'
      },
    })
    expect(session.status).toBe('offline')
    await clock.pass(2)
    expect(lines()).toBe(1)
  })

  test('a ticket that never comes is given up and asked for again', async () => {
    let asked = 0
    const { clock, lines } = await lab({
      ticket: () => (asked++ === 0 ? new Promise<string>(() => {}) : 'ticket'),
    })
    await clock.pass(31)
    expect(lines()).toBe(1)
  })

  test('a ticket function that throws Closed ends the session', async () => {
    const { session } = await lab({
      ticket: () => {
        throw new Closed(401, 'signed out')
      },
    })
    expect(session.status).toBe('closed')
    expect(session.closed?.code).toBe(401)
  })

  test('a socket that is never welcomed is given up', async () => {
    const { clock, lines } = await lab()
    await clock.pass(25)
    expect(lines()).toBe(2)
  })

  test('retryNow does not wait', async () => {
    const { session, line, clock, lines } = await lab()
    for (let n = 0; n < 8; n++) {
      line().drop()
      await clock.pass(20)
    }
    const opened = lines()
    line().drop()
    session.retryNow()
    await settle()
    expect(lines()).toBe(opened + 1)
  })

  test('a page that wakes up tries soon, and asks whether an open connection still stands', async () => {
    const { line, clock, lines } = await lab()
    for (let n = 0; n < 8; n++) {
      line().drop()
      await clock.pass(20)
    }
    line().drop()
    const opened = lines()
    clock.wakers.forEach((wake) => wake())
    await clock.pass(0.5)
    expect(lines()).toBe(opened + 1)
    line().welcome()
    clock.wakers.forEach((wake) => wake())
    await clock.pass(6)
    expect(lines()).toBe(opened + 2)
  })
})

describe('an open connection', () => {
  test('is pinged, and given up if nothing comes', async () => {
    const { session, line, clock, lines } = await lab()
    line().welcome()
    await clock.pass(20)
    line().say('pong', { ref: line().last('ping')['ref']! })
    await clock.pass(39)
    expect(line().all('ping').length).toBe(2)
    expect(session.status).toBe('open')
    await clock.pass(2)
    expect(session.status).not.toBe('open')
    await clock.pass(1)
    expect(lines()).toBe(2)
  })

  test('is not given up by a timer that fires late', async () => {
    const { session, line, clock } = await lab()
    line().welcome()
    clock.time += 500 // the device slept
    await clock.pass(0.1)
    expect(line().all('ping').length).toBe(1)
    line().say('pong', { ref: 1 })
    await clock.pass(1)
    expect(session.status).toBe('open')
  })

  test('is refreshed before it expires, and goes on', async () => {
    let tickets = 0
    const { session, line, clock, lines } = await lab({ ticket: () => `ticket ${++tickets}` })
    line().welcome({ expires: 8 })
    await clock.pass(6)
    const refresh = line().last('refresh')
    expect(refresh['ticket']).toBe('ticket 2')
    line().say('refreshed', { ref: refresh['ref']!, expires: 8 })
    await clock.pass(6)
    expect(line().last('refresh')['ticket']).toBe('ticket 3')
    expect(lines()).toBe(1)
    expect(session.status).toBe('open')
  })

  test('is refreshed again if a refresh is refused', async () => {
    const { line, clock } = await lab()
    line().welcome({ expires: 8 })
    await clock.pass(6)
    line().say('refuse', { channel: 0, ref: line().last('refresh')['ref']!, code: 500, reason: '' })
    await clock.pass(1)
    expect(line().all('refresh').length).toBe(2)
  })

  test('that drains is left at a random moment, and the next one is opened', async () => {
    const { session, line, clock, lines } = await lab()
    line().welcome()
    line().say('drain', { within: 10, reason: 'the node restarts' })
    await clock.pass(4.9)
    expect(lines()).toBe(1)
    await clock.pass(0.3)
    expect(lines()).toBe(2)
    line().welcome()
    expect(session.status).toBe('open')
  })

  test('brings signals about its user', async () => {
    const { session, line } = await lab()
    const signals: SessionSignal[] = []
    session.on('signal', (signal) => signals.push(signal))
    line().welcome()
    line().say('signaled', { channel: 0, name: 'notice', body: { id: 'n1' } })
    expect(signals).toEqual([{ name: 'notice', body: { id: 'n1' } }])
  })

  test('that sends nonsense is closed for good', async () => {
    const { session, line } = await lab()
    line().welcome()
    line().onmessage?.({ data: new Uint8Array([0xc1]).buffer } as never)
    expect(session.status).toBe('closed')
    expect(session.closed?.code).toBe(1002)
  })
})

test('closing ends the connection and everything with it', async () => {
  const { session, line, clock, lines } = await lab()
  line().welcome()
  const part = session.document('plain/a')
  await settle()
  await session.close()
  expect(line().closed).toBe(true)
  await expect(part.joined).rejects.toBeInstanceOf(Closed)
  await clock.pass(100)
  expect(lines()).toBe(1)
  expect(() => session.document('plain/b')).toThrow(Closed)
})

test('a listener that throws keeps nobody else from hearing', async () => {
  const { session, line } = await lab()
  const heard: string[] = []
  const shown = console.error
  const errors: unknown[] = []
  console.error = (problem) => errors.push(problem)
  session.on('status', () => {
    throw new Error('a bug of the application')
  })
  session.on('status', (status) => heard.push(status))
  line().welcome()
  console.error = shown
  expect(heard).toEqual(['open'])
  expect(String(errors[0])).toContain('a bug of the application')
})
