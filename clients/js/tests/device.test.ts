// Copies on this device: opened offline, shared by tabs, honest when they cannot be written.
import 'fake-indexeddb/auto'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import * as Y from 'yjs'
import {
  clearDevice,
  connect,
  deviceDocuments,
  type DeviceError,
  type DocumentPart,
  type Session,
} from '../src/index.js'
import { evict } from '../src/device/evict.js'
import { Database } from '../src/device/database.js'
import { Line, settle } from './lab.js'

let scope = ''
let number = 0
const sessions: Session[] = []

beforeEach(() => {
  scope = `user ${++number}`
  Line.open = []
})

afterEach(async () => {
  vi.restoreAllMocks()
  await Promise.all(sessions.splice(0).map((session) => session.close()))
  await clearDevice(scope)
})

interface Tab {
  readonly session: Session
  readonly part: DocumentPart
  readonly line: Line
  readonly problems: DeviceError[]
  text(): string
  type(words: string): void
}

/** A tab that shows a document; its socket waits for what the test makes of it. */
async function tab(room = 'plain/a'): Promise<Tab> {
  const session = connect({ url: 'ws://parvis.test/ws', ticket: 'token', storage: scope, WebSocket: Line })
  sessions.push(session)
  const problems: DeviceError[] = []
  session.on('storage', (problem) => problems.push(problem))
  await settle()
  const line = Line.open[Line.open.length - 1]!
  const part = session.document(room)
  return {
    session,
    part,
    line,
    problems,
    text: () => part.doc.getText('t').toString(),
    type: (words) => {
      const text = part.doc.getText('t')
      text.insert(text.length, words)
    },
  }
}

/** A tab whose document the server knows. */
async function online(room?: string, facts: Parameters<Line['letIn']>[0] = {}): Promise<Tab> {
  const made = await tab(room)
  made.line.welcome()
  await made.part.loaded
  await settle()
  made.line.letIn(facts)
  return made
}

function updateOf(words: string): Uint8Array {
  const doc = new Y.Doc()
  doc.getText('t').insert(0, words)
  return Y.encodeStateAsUpdate(doc)
}

function ackAll(line: Line): void {
  for (const { ref, channel } of line.all('update')) line.say('ack', { channel: channel!, ref: ref!, offset: 9 })
}

describe('offline', () => {
  test('a document that was open opens again without a connection, with what this user may do', async () => {
    const first = await online('plain/a', { updates: [updateOf('kept')], offset: 3 })
    expect(await first.part.loaded).toBe(false)
    await first.session.close()
    const again = await tab()
    expect(await again.part.loaded).toBe(true)
    expect(again.text()).toBe('kept')
    expect(again.part.offset).toBe(3)
    expect(again.part.writable).toBe(true)
    expect(again.part.saved).toBe('saved')
    expect(again.session.status).toBe('connecting')
  })

  test('the join shows the copy and its incarnation', async () => {
    const first = await online('plain/a', { updates: [updateOf('kept')], incarnation: 4 })
    await first.session.close()
    const again = await tab()
    again.line.welcome()
    await again.part.loaded
    await settle()
    const { incarnation, state } = again.line.last('join')
    expect(incarnation).toBe(4)
    expect(state).toEqual(Y.encodeStateVector(first.part.doc))
  })

  test('edits are kept on the device, over visits, until the server has them', async () => {
    const first = await online()
    first.line.drop()
    first.type('offline work')
    expect(first.part.saved).toBe('saving')
    await vi.waitFor(() => expect(first.part.saved).toBe('device'))
    await first.session.close()
    expect(await deviceDocuments(scope)).toMatchObject([{ room: 'plain/a', unsaved: true }])

    const again = await tab()
    await again.part.loaded
    await vi.waitFor(() => expect(again.part.saved).toBe('device'))
    again.line.welcome()
    await settle()
    again.line.letIn()
    const server = new Y.Doc()
    Y.applyUpdate(server, again.line.last('update')['update'] as Uint8Array)
    expect(server.getText('t').toString()).toBe('offline work')
    ackAll(again.line)
    expect(again.part.saved).toBe('saved')
    await again.session.close()
    expect(await deviceDocuments(scope)).toMatchObject([{ unsaved: false }])
  })

  test('edits are kept before the server has seen them', async () => {
    const first = await online()
    first.type('on its way')
    await first.part.settled()
    const after = await tab()
    await after.part.loaded
    expect(after.text()).toBe('on its way')
  })

  test('commands that wait are kept over visits, and run in order', async () => {
    const first = await online()
    first.line.drop()
    for (const id of ['a', 'b']) {
      first.part.command('comment.add', { id }, { queue: true }).catch(() => {}) // the page is left first
    }
    await vi.waitFor(() => expect(first.part.saved).toBe('device'))
    await first.session.close()
    const again = await tab()
    await again.part.loaded
    expect(again.part.saved).toBe('device')
    const outcomes: unknown[] = []
    again.part.on('command', ({ body, answer }) => outcomes.push([body, answer]))
    again.line.welcome()
    await settle()
    again.line.letIn()
    for (const answer of [1, 2]) {
      await settle()
      again.line.say('answer', { channel: 7, ref: again.line.last('command')['ref']!, body: answer })
    }
    await settle()
    expect(outcomes).toEqual([
      [{ id: 'a' }, 1],
      [{ id: 'b' }, 2],
    ])
    expect(again.part.saved).toBe('saved')
    await again.session.close()
    const last = await tab()
    await last.part.loaded
    expect(last.part.saved).toBe('saved')
  })

  test('a title shows in the list of what is kept', async () => {
    const first = await online()
    first.part.describe('Plans for spring')
    await first.session.close()
    expect(await deviceDocuments(scope)).toMatchObject([{ room: 'plain/a', title: 'Plans for spring' }])
  })

  test('many edits are squashed into few rows', async () => {
    const first = await online()
    for (let n = 0; n < 450; n++) {
      first.type('x')
      await first.part.settled()
    }
    const database = await Database.open(scope)
    const rows = await database.run('readonly', (at) => at.rows('updates', 'plain/a'))
    expect(rows.length).toBeLessThan(210)
    await first.session.close()
    const again = await tab()
    await again.part.loaded
    expect(again.text()).toBe('x'.repeat(450))
  })

  test('two users of one device do not see each other', async () => {
    const first = await online('plain/a', { updates: [updateOf('private')] })
    await first.session.close()
    const other = connect({ url: 'ws://x/', ticket: '', storage: 'somebody else', WebSocket: Line })
    sessions.push(other)
    expect(await other.document('plain/a').loaded).toBe(false)
    await clearDevice('somebody else')
  })
})

describe('several tabs', () => {
  test('see each other\'s edits without a connection, and the copy holds both', async () => {
    const seed = await online('plain/a', { updates: [updateOf('. ')] })
    await seed.session.close()
    const [one, two] = [await tab(), await tab()]
    await Promise.all([one.part.loaded, two.part.loaded])
    one.type('from one ')
    two.type('from two ')
    await vi.waitFor(() => expect(one.text()).toBe(two.text()))
    expect(one.text()).toContain('from one')
    expect(one.text()).toContain('from two')
    await vi.waitFor(() => expect([one.part.saved, two.part.saved]).toEqual(['device', 'device']))
    await Promise.all([one.session.close(), two.session.close()])
    const again = await tab()
    await again.part.loaded
    expect(again.text()).toBe(one.text())
  })

  test('that opens later gets what the others have not yet written', async () => {
    const one = await online('plain/a', { updates: [updateOf('seed ')] })
    await one.part.settled()
    one.line.say('changed', { channel: 7, update: updateOf('news ') }) // kept lazily
    const two = await tab()
    await two.part.loaded
    await vi.waitFor(() => expect(two.text()).toContain('news'))
  })

  test('that is online sends what an offline one edits', async () => {
    const seed = await online('plain/a', { updates: [updateOf('. ')] })
    await seed.session.close()
    const connected = await online()
    const offline = await tab()
    await offline.part.loaded
    const before = connected.line.all('update').length
    offline.type('by the other tab')
    await vi.waitFor(() => expect(connected.line.all('update').length).toBe(before + 1))
    const server = new Y.Doc()
    for (const { update } of connected.line.all('update')) Y.applyUpdate(server, update as Uint8Array)
    expect(server.getText('t').toString()).toContain('by the other tab')
  })

  test('edits that two tabs made offline both reach the server', async () => {
    const seed = await online('plain/a', { updates: [updateOf('. ')] })
    await seed.session.close()
    const [one, two] = [await tab(), await tab()]
    await Promise.all([one.part.loaded, two.part.loaded])
    one.type('one ')
    two.type('two ')
    await Promise.all([one.session.close(), two.session.close()])
    const last = await online()
    const server = new Y.Doc()
    for (const { update } of last.line.all('update')) Y.applyUpdate(server, update as Uint8Array)
    expect(server.getText('t').toString()).toContain('one')
    expect(server.getText('t').toString()).toContain('two')
  })

  test('start over together when one of them is told to', async () => {
    const [one, two] = [await online('plain/a', { updates: [updateOf('old')] }), await online()]
    await vi.waitFor(() => expect(two.text()).toBe('old'))
    await Promise.all([one.part.settled(), two.part.settled()])
    const resets: number[] = []
    two.part.on('reset', ({ code }) => resets.push(code))
    one.line.say('reset', { channel: 7, incarnation: 2, code: 403, reason: 'poisoned' })
    one.line.letIn({ incarnation: 2, updates: [updateOf('new')] })
    await vi.waitFor(() => expect(resets).toEqual([304]))
    expect(two.text()).toBe('')
    two.line.letIn({ incarnation: 2, updates: [updateOf('new')] })
    await Promise.all([one.session.close(), two.session.close()])
    const again = await tab()
    await again.part.loaded
    expect(again.text()).toMatch(/^(new)+$/)
    expect(again.part.saved).toBe('saved')
  })
})

describe('a reset', () => {
  test('puts unsaved work aside, where later visits find it until it is dropped', async () => {
    const first = await online()
    first.type('mine')
    await settle()
    first.line.say('reset', { channel: 7, incarnation: 2, code: 403, reason: 'no' })
    await first.session.close()
    const again = await tab()
    await again.part.loaded
    const rescued = new Y.Doc()
    Y.applyUpdate(rescued, again.part.rescued!.update)
    expect(rescued.getText('t').toString()).toBe('mine')
    expect(again.part.rescued).toMatchObject({ code: 403, reason: 'no', incarnation: 1 })
    expect(again.text()).toBe('')
    again.part.dropRescued()
    await again.session.close()
    const last = await tab()
    await last.part.loaded
    expect(last.part.rescued).toBeNull()
  })

  test('after a history that was rebuilt keeps nothing of the old one', async () => {
    const first = await online('plain/a', { updates: [updateOf('old')] })
    await first.session.close()
    const again = await tab()
    again.line.welcome()
    await again.part.loaded
    await settle()
    again.line.say('refuse', { channel: 0, ref: again.line.last('join')['ref']!, code: 304, reason: '' })
    again.line.letIn({ incarnation: 2, updates: [updateOf('new')] })
    await again.session.close()
    const last = await tab()
    await last.part.loaded
    expect(last.text()).toBe('new')
  })
})

describe('when access is gone', () => {
  test('the copy goes too, unless something in it is unsaved', async () => {
    const first = await online('plain/a', { updates: [updateOf('secret')] })
    await first.part.settled()
    first.line.say('left', { channel: 7, code: 201, reason: 'no' })
    await first.session.close()
    await vi.waitFor(async () => expect(await deviceDocuments(scope)).toEqual([]))

    const second = await online('plain/b')
    second.type('mine')
    await second.part.settled()
    second.line.say('left', { channel: 7, code: 201, reason: 'no' })
    await second.session.close()
    expect(await deviceDocuments(scope)).toMatchObject([{ room: 'plain/b', unsaved: true }])
  })
})

describe('trouble', () => {
  test('a full device is said to be one, and memory keeps all', async () => {
    const made = await online()
    await made.part.settled()
    made.line.drop()
    const full = (): never => {
      throw new DOMException('full', 'QuotaExceededError')
    }
    const spy = vi.spyOn(IDBObjectStore.prototype, 'add').mockImplementation(full)
    made.type('too much')
    await vi.waitFor(() => expect(made.part.saved).toBe('unsaved'))
    expect(made.problems.map(({ code }) => code)).toEqual(['quota'])
    expect(made.text()).toBe('too much')
    spy.mockRestore()
    made.type('!')
    await vi.waitFor(() => expect(made.part.saved).toBe('device'))
    await made.session.close()
    const again = await tab()
    await again.part.loaded
    expect(again.text()).toBe('too much!')
  })

  test('a full device makes room by forgetting what was not used for long', async () => {
    for (const room of ['plain/old', 'plain/older']) {
      const made = await online(room, { updates: [updateOf(room)] })
      await made.session.close()
    }
    const made = await online('plain/new')
    await made.part.settled()
    made.line.drop()
    const add = IDBObjectStore.prototype.add
    let refusals = 1
    vi.spyOn(IDBObjectStore.prototype, 'add').mockImplementation(function (this: IDBObjectStore, value: unknown) {
      if (refusals-- > 0) throw new DOMException('full', 'QuotaExceededError')
      return add.call(this, value)
    })
    made.type('fits now')
    await vi.waitFor(() => expect(made.part.saved).toBe('device'))
    expect((await deviceDocuments(scope)).map(({ room }) => room)).toEqual(['plain/new'])
    expect(made.problems).toEqual([])
  })

  test('over the bound the copies used longest ago go, but none with unsaved work', async () => {
    for (const room of ['plain/1', 'plain/2', 'plain/3']) {
      const made = await online(room, { updates: [updateOf('x'.repeat(1000))] })
      if (room === 'plain/1') {
        made.type('unsaved')
        await made.part.settled()
      }
      await made.session.close()
    }
    const database = await Database.open(scope)
    expect(await evict(database, 2500, 'plain/other')).toBe(true)
    const rooms = (await deviceDocuments(scope)).map(({ room }) => room)
    expect(rooms.sort()).toEqual(['plain/1', 'plain/3'])
  })

  test('a copy that was evicted under an open tab is written anew, whole', async () => {
    const made = await online('plain/a', { updates: [updateOf('all of it')] })
    await made.part.settled()
    expect(await evict(await Database.open(scope), 0, '')).toBe(true)
    made.type('!')
    await made.session.close()
    const again = await tab()
    await again.part.loaded
    expect(again.text()).toBe('all of it!')
  })

  test('what is damaged is put aside and said, and the rest opens', async () => {
    const first = await online('plain/a', { updates: [updateOf('sound ')] })
    await first.part.settled()
    first.line.say('changed', { channel: 7, update: updateOf('damaged ') })
    await first.session.close()
    const database = await Database.open(scope)
    const before = await database.run('readwrite', async (at) => {
      const rows = await at.rows('updates', 'plain/a')
      const [id, value] = rows[rows.length - 1] as [number, { update: Uint8Array; sum: number; name: string }]
      await at.delete('updates', id)
      const update = value.update.slice()
      update[update.length - 2]! ^= 0xff
      await at.add('updates', { ...value, update })
      return rows.length
    })
    expect(before).toBe(2)
    const again = await tab()
    expect(await again.part.loaded).toBe(true)
    expect(again.text()).toBe('sound ')
    expect(again.problems.map(({ code }) => code)).toEqual(['corrupt'])
    const aside = await database.run('readonly', (at) => at.rows('rescues', 'plain/a'))
    expect(aside.length).toBe(1)
  })

  test('a database of a newer version is left alone and said', async () => {
    await new Promise((resolve) => {
      const request = indexedDB.open(`parvis:${scope}`, 99)
      request.onsuccess = () => {
        request.result.close()
        resolve(null)
      }
    })
    const made = await tab()
    expect(await made.part.loaded).toBe(false)
    expect(made.problems.map(({ code }) => code)).toEqual(['newer'])
    made.line.welcome()
    await settle()
    made.line.letIn()
    made.type('goes on')
    await settle()
    expect(made.part.saved).toBe('saving')
    made.line.drop()
    expect(made.part.saved).toBe('unsaved')
  })

  test('clearing the device forgets everything, also under an open tab, which says so', async () => {
    const made = await online('plain/a', { updates: [updateOf('kept')] })
    await made.part.settled()
    await clearDevice(scope)
    made.line.drop()
    made.type('!')
    await vi.waitFor(() => expect(made.part.saved).toBe('unsaved'))
    expect(made.problems.map(({ code }) => code)).toEqual(['cleared'])
    const again = await tab()
    expect(await again.part.loaded).toBe(false)
  })

  test('a browser whose settings forbid IndexedDB says so, however it tells', async () => {
    const forbidden = () => {
      throw new DOMException('The user denied permission to access the database.', 'SecurityError')
    }
    vi.stubGlobal('indexedDB', { open: forbidden, deleteDatabase: forbidden })
    const made = await tab()
    expect(await made.part.loaded).toBe(false)
    expect(made.problems.map(({ code }) => code)).toEqual(['unavailable'])
  })

  test('a platform without IndexedDB works, and says what it cannot do', async () => {
    vi.stubGlobal('indexedDB', undefined)
    const made = await tab()
    expect(await made.part.loaded).toBe(false)
    expect(made.problems.map(({ code }) => code)).toEqual(['unavailable'])
    made.line.welcome()
    await settle()
    made.line.letIn()
    made.type('x')
    await settle()
    ackAll(made.line)
    expect(made.part.saved).toBe('saved')
    vi.unstubAllGlobals()
  })
})
