// A document part against the server's end of the socket: what is sent when, and what `saved` says.
import { describe, expect, test } from 'vitest'
import * as Y from 'yjs'
import { Closed, Disconnected, Refused, type DocumentPart, type ResetDocument, type Saved } from '../src/index.js'
import { lab, settle, type Lab, type Line } from './lab.js'

type Options = Parameters<Lab['session']['document']>[1]

interface Scene extends Lab {
  readonly part: DocumentPart
  /** What the server's copy holds. */
  readonly server: Y.Doc
  text(): string
  type(words: string): Promise<void>
  /** Take and ack the updates that came since. */
  ack(line?: Line): void
}

async function scene(options: Options = {}, joined: Parameters<Line['letIn']>[0] = {}): Promise<Scene> {
  const made = await lab()
  made.line().welcome()
  const part = made.session.document('plain/a', options)
  await settle()
  made.line().letIn(joined)
  const server = new Y.Doc()
  let taken = 0
  return {
    ...made,
    part,
    server,
    text: () => part.doc.getText('t').toString(),
    async type(words) {
      const text = part.doc.getText('t')
      text.insert(text.length, words)
      await settle()
    },
    ack(line = made.line()) {
      for (const { update, ref, channel } of line.all('update').slice(taken)) {
        taken += 1
        Y.applyUpdate(server, update as Uint8Array)
        line.say('ack', { channel: channel!, ref: ref!, offset: taken })
      }
    },
  }
}

function updateOf(words: string): Uint8Array {
  const doc = new Y.Doc()
  doc.getText('t').insert(0, words)
  return Y.encodeStateAsUpdate(doc)
}

const serverText = (doc: Y.Doc): string => doc.getText('t').toString()

describe('joining', () => {
  test('shows what the copy has, and takes what it lacks', async () => {
    const { part, line, text } = await scene({ schema: 2 }, { updates: [updateOf('hello')], offset: 5 })
    expect(line().last('join')).toMatchObject({ room: 'plain/a', incarnation: 0, schema: 2 })
    await part.joined
    expect(text()).toBe('hello')
    expect(part.synced).toBe(true)
    expect(part.offset).toBe(5)
    expect([...part.access]).toEqual(['edit', 'view'])
    expect(part.writable).toBe(true)
    expect(line().all('update')).toEqual([])
  })

  test('names the part', async () => {
    const { line } = await scene({ part: 'comments' })
    expect(line().last('join')['room']).toBe('plain/a:comments')
  })

  test('a document that is brought along counts as an edit', async () => {
    const doc = new Y.Doc()
    doc.getText('t').insert(0, 'brought')
    const { part, line, server, ack } = await scene({ doc })
    expect(part.saved).toBe('saving')
    ack(line())
    expect(serverText(server)).toBe('brought')
    expect(part.saved).toBe('saved')
  })

  test('a refusal for now is tried again; one for good ends the part', async () => {
    const { session, line, clock } = await lab()
    line().welcome()
    const part = session.document('plain/a')
    await settle()
    line().say('refuse', { channel: 0, ref: line().last('join')['ref']!, code: 502, reason: 'store' })
    await clock.pass(1)
    expect(line().all('join').length).toBe(2)
    const gone: Refused[] = []
    part.on('gone', (why) => gone.push(why))
    line().say('refuse', { channel: 0, ref: line().last('join')['ref']!, code: 201, reason: 'no' })
    expect(gone.map(({ code }) => code)).toEqual([201])
    await expect(part.joined).rejects.toBeInstanceOf(Refused)
    await clock.pass(15)
    expect(line().all('join').length).toBe(2)
  })

  test('whoever asks for the same part gets the same object, and leaves it last', async () => {
    const { session, part, line } = await scene()
    expect(session.document('plain/a')).toBe(part)
    part.leave()
    expect(line().all('leave')).toEqual([])
    part.leave()
    expect(line().all('leave')).toEqual([{ type: 'leave', channel: 7 }])
    expect(session.document('plain/a')).not.toBe(part)
  })
})

describe('edits', () => {
  test('are saved when the server has acked all of them, and not before', async () => {
    const { part, type, line, server, ack } = await scene()
    const said: Saved[] = []
    part.on('saved', (saved) => said.push(saved))
    await type('one')
    await type(' two')
    expect(line().all('update').length).toBe(2)
    const [first] = line().all('update')
    line().say('ack', { channel: 7, ref: first!['ref']!, offset: 1 })
    expect(part.saved).toBe('saving')
    ack()
    expect(serverText(server)).toBe('one two')
    expect(said).toEqual(['saving', 'saved'])
  })

  test('of one task travel as one update, each with a key of its own', async () => {
    const { part, line, server, ack, type } = await scene()
    for (const letter of 'together') part.doc.getText('t').insert(0, letter)
    await settle()
    await type('!')
    expect(line().all('update').length).toBe(2)
    const keys = line().all('update').map(({ key }) => Buffer.from(key as Uint8Array).toString('hex'))
    expect(new Set(keys).size).toBe(2)
    ack()
    expect(serverText(server)).toBe('rehtegot!')
  })

  test('of others are not sent back', async () => {
    const { line, text } = await scene()
    line().say('changed', { channel: 7, update: updateOf('theirs') })
    await settle()
    expect(text()).toBe('theirs')
    expect(line().all('update')).toEqual([])
  })

  test('made by an observer of what others did are sent', async () => {
    const { part, line, server, ack } = await scene()
    const words = part.doc.getText('t')
    words.observe(() => {
      if (!words.toString().endsWith('!')) part.doc.transact(() => words.insert(words.length, '!'))
    })
    const update = updateOf('theirs')
    Y.applyUpdate(server, update)
    line().say('changed', { channel: 7, update })
    await settle()
    ack()
    expect(serverText(server)).toBe('theirs!')
  })

  test('made while the connection is gone follow it, under one ref', async () => {
    const { part, type, line, clock, server, ack } = await scene()
    await type('lost ')
    line().drop()
    await type('and found')
    expect(part.saved).toBe('unsaved')
    expect(part.synced).toBe(false)
    await clock.pass(1)
    line().welcome()
    line().letIn()
    expect(line().last('join')['incarnation']).toBe(1)
    expect(part.saved).toBe('saving')
    expect(line().all('update').length).toBe(1)
    Y.applyUpdate(server, line().last('update')['update'] as Uint8Array)
    line().say('ack', { channel: 7, ref: line().last('update')['ref']!, offset: 2 })
    expect(serverText(server)).toBe('lost and found')
    expect(part.saved).toBe('saved')
    expect(ack).toBeDefined()
  })

  test('an ack of the connection before says nothing about this one', async () => {
    const { part, type, line, clock } = await scene()
    await type('x')
    const old = line().last('update')['ref']!
    line().drop()
    await clock.pass(1)
    line().welcome()
    line().letIn()
    line().say('ack', { channel: 7, ref: old, offset: 1 })
    expect(part.saved).toBe('saving')
  })

  test('wait, and show it, while the store is down', async () => {
    const { part, type, line, ack } = await scene()
    await type('x')
    line().say('unsaved', { channel: 7, waiting: true })
    expect(part.saved).toBe('unsaved')
    line().say('unsaved', { channel: 7, waiting: false })
    expect(part.saved).toBe('saving')
    ack()
    expect(part.saved).toBe('saved')
  })

  test('are sent whole when the server asks for what it lacks', async () => {
    const { part, type, line, server } = await scene()
    await type('x')
    line().say('refuse', { channel: 7, ref: line().last('update')['ref']!, code: 501, reason: 'slow' })
    expect(part.saved).toBe('unsaved')
    line().say('resync', { channel: 7, state: new Uint8Array([0]) })
    const { update, ref } = line().last('update')
    Y.applyUpdate(server, update as Uint8Array)
    expect(serverText(server)).toBe('x')
    line().say('ack', { channel: 7, ref: ref!, offset: 1 })
    expect(part.saved).toBe('saved')
  })

  test('are sent again by themselves if the server does not ask', async () => {
    const { type, line, clock } = await scene()
    await type('x')
    line().say('refuse', { channel: 7, ref: line().last('update')['ref']!, code: 501, reason: 'slow' })
    await clock.pass(1)
    expect(line().all('update').length).toBe(2)
  })

  test('a resync is answered even if there is nothing', async () => {
    const { line } = await scene()
    line().say('resync', { channel: 7, state: new Uint8Array([0]) })
    expect(line().last('update')['update']).toEqual(new Uint8Array([0, 0]))
  })

  test('too large for the server are refused here, and end nothing', async () => {
    const { session, line, clock } = await lab()
    line().welcome({ limits: { frame: 1000 } })
    const part = session.document('plain/a')
    const refused: number[] = []
    part.on('refused', ({ code }) => refused.push(code))
    await settle()
    line().letIn()
    part.doc.getText('t').insert(0, 'x'.repeat(2000))
    await settle()
    await clock.pass(0)
    expect(line().all('update')).toEqual([])
    expect(refused).toEqual([105])
    expect(part.saved).toBe('unsaved')
  })
})

describe('whenSaved', () => {
  test('rejects when the session ends first, also if nothing else changes', async () => {
    const { session, part, line, type } = await scene()
    line().drop()
    await type('x')
    const saved = part.whenSaved()
    await Promise.all([expect(saved).rejects.toBeInstanceOf(Closed), session.close()])
  })

  test('returns when a reset has put aside what was unsaved', async () => {
    const { part, line, type } = await scene()
    await type('x')
    const saved = part.whenSaved()
    line().say('reset', { channel: 7, incarnation: 1, code: 403, reason: '' })
    await saved
    expect(part.rescued).not.toBeNull()
  })
})

describe('several things that wait', () => {
  test('do not push each other out', async () => {
    const { part, line, type, clock } = await scene()
    void part.command('first', null, { queue: true })
    await type('x')
    await settle()
    line().say('refuse', { channel: 7, ref: line().last('command')['ref']!, code: 500, reason: '' })
    await settle()
    line().say('refuse', { channel: 7, ref: line().last('update')['ref']!, code: 501, reason: '' })
    await clock.pass(2)
    expect([line().all('command').length, line().all('update').length]).toEqual([2, 2])
  })

  test('edits made before the first join are sent once', async () => {
    const { session, line } = await lab()
    line().welcome()
    const part = session.document('plain/a')
    part.doc.getText('t').insert(0, 'early')
    await settle()
    line().letIn()
    await settle()
    expect(line().all('update').length).toBe(1)
  })
})

describe('access', () => {
  test('who may not edit sends nothing, and is told once', async () => {
    const { part, type, line } = await scene({}, { access: ['view'] })
    const refused: number[] = []
    part.on('refused', ({ code }) => refused.push(code))
    await type('a')
    await type('b')
    expect(part.writable).toBe(false)
    expect(line().all('update')).toEqual([])
    expect(refused).toEqual([201])
    expect(part.saved).toBe('unsaved')
  })

  test('taken away while typing keeps the work, and brings it when the right is back', async () => {
    const { part, type, line, server } = await scene()
    const refused: number[] = []
    part.on('refused', ({ code }) => refused.push(code))
    await type('mine')
    line().say('access_changed', { channel: 7, access: ['view'] })
    line().say('refuse', { channel: 7, ref: line().last('update')['ref']!, code: 201, reason: 'no' })
    expect(refused).toEqual([201])
    expect(part.saved).toBe('unsaved')
    line().say('access_changed', { channel: 7, access: ['edit', 'view'] })
    Y.applyUpdate(server, line().last('update')['update'] as Uint8Array)
    expect(serverText(server)).toBe('mine')
    line().say('ack', { channel: 7, ref: line().last('update')['ref']!, offset: 1 })
    expect(part.saved).toBe('saved')
  })

  test('a resync without the right is answered with nothing, and nobody is told', async () => {
    const { part, line } = await scene({}, { access: ['view'], updates: [updateOf('theirs')] })
    const refused: number[] = []
    part.on('refused', ({ code }) => refused.push(code))
    line().say('resync', { channel: 7, state: new Uint8Array([0]) })
    const { update, ref } = line().last('update')
    expect(update).toEqual(new Uint8Array([0, 0]))
    line().say('refuse', { channel: 7, ref: ref!, code: 201, reason: 'no' })
    expect(refused).toEqual([])
    expect(part.saved).toBe('saved')
  })

  test('a part that only the server writes is never written', async () => {
    const { part, type, line } = await scene({ part: 'comments', write: null })
    await type('x')
    expect(part.writable).toBe(false)
    expect(line().all('update')).toEqual([])
  })

  test('taken away altogether ends the part, and keeps what was not saved', async () => {
    const { part, type, line } = await scene()
    const gone: number[] = []
    part.on('gone', ({ code }) => gone.push(code))
    await type('mine')
    line().say('left', { channel: 7, code: 201, reason: 'no' })
    expect(gone).toEqual([201])
    const doc = new Y.Doc()
    Y.applyUpdate(doc, part.rescued!.update)
    expect(serverText(doc)).toBe('mine')
    await expect(part.whenSaved()).rejects.toBeInstanceOf(Refused)
  })

  test('a node that lets go for now is joined again', async () => {
    const { part, line, clock } = await scene()
    line().say('left', { channel: 7, code: 504, reason: 'draining' })
    expect(part.synced).toBe(false)
    await clock.pass(1)
    line().letIn()
    expect(part.synced).toBe(true)
  })
})

describe('schemas', () => {
  test('a client with another one never sends, and says so', async () => {
    const { part, type, line } = await scene({ schema: 1 }, { schema: 2, access: ['edit', 'view'] })
    expect(part.schema).toEqual({ mine: 1, server: 2, matches: false })
    const refused: number[] = []
    part.on('refused', ({ code }) => refused.push(code))
    await type('x')
    line().say('resync', { channel: 7, state: new Uint8Array([0]) })
    expect(line().all('update').map(({ update }) => update)).toEqual([new Uint8Array([0, 0])])
    expect(refused).toEqual([305])
    expect(part.writable).toBe(false)
  })

  test('the news comes as an event', async () => {
    const { session, line } = await lab()
    line().welcome()
    const part = session.document('plain/a', { schema: 1 })
    const schemas: unknown[] = []
    part.on('schema', (schema) => schemas.push(schema))
    await settle()
    line().letIn({ schema: 1 })
    expect(schemas).toEqual([{ mine: 1, server: 1, matches: true }])
    expect(part.writable).toBe(true)
  })
})

describe('starting over', () => {
  test('a reset brings another document, and keeps what was not saved aside', async () => {
    const { part, type, line } = await scene({}, { updates: [updateOf('shared ')] })
    const resets: ResetDocument[] = []
    part.on('reset', (reset) => resets.push(reset))
    const old = part.doc
    const client = old.clientID
    await type('mine')
    line().say('reset', { channel: 7, incarnation: 1, code: 403, reason: 'not here' })
    expect(resets.length).toBe(1)
    expect(resets[0]).toMatchObject({ old, doc: part.doc, code: 403, reason: 'not here' })
    expect(part.doc).not.toBe(old)
    expect(part.doc.clientID).not.toBe(client)
    expect(part.awareness.clientID).toBe(part.doc.clientID)
    const rescued = new Y.Doc()
    Y.applyUpdate(rescued, part.rescued!.update)
    expect(serverText(rescued)).toContain('mine')
    expect(part.saved).toBe('saved')
    expect(line().last('join')).toMatchObject({ incarnation: 0, state: new Uint8Array([0]) })
    line().letIn({ updates: [updateOf('fresh')] })
    expect(serverText(part.doc)).toBe('fresh')
    old.getText('t').insert(0, 'nobody listens')
    await settle()
    expect(line().all('update').length).toBe(1)
  })

  test('a history that was rebuilt meanwhile is joined from nothing', async () => {
    const { part, line, clock } = await scene({}, { updates: [updateOf('old life')] })
    line().drop()
    await clock.pass(1)
    line().welcome()
    line().say('refuse', { channel: 0, ref: line().last('join')['ref']!, code: 304, reason: 'rebuilt' })
    expect(line().last('join')).toMatchObject({ incarnation: 0, state: new Uint8Array([0]) })
    line().letIn({ incarnation: 2, updates: [updateOf('new life')] })
    expect(serverText(part.doc)).toBe('new life')
    expect(part.rescued).toBeNull()
  })

  test('an update that breaks the copy costs the copy, not the session', async () => {
    const { session, part, line, clock } = await scene({}, { updates: [updateOf('fine')] })
    const shown = console.error
    console.error = () => {}
    line().say('changed', { channel: 7, update: new Uint8Array([1, 1, 5, 0, 0xff]) })
    await settle()
    console.error = shown
    expect(line().last('leave')).toEqual({ type: 'leave', channel: 7 })
    await clock.pass(1)
    line().letIn({ updates: [updateOf('fine')] })
    expect(serverText(part.doc)).toBe('fine')
    expect(session.status).toBe('open')
  })
})

describe('batches', () => {
  test('what others do is applied once per frame, in one transaction', async () => {
    const { part, line, clock, text } = await scene({ batch: 'frame' })
    let transactions = 0
    part.doc.on('afterTransaction', () => (transactions += 1))
    for (const word of ['a', 'b', 'c']) line().say('changed', { channel: 7, update: updateOf(word) })
    expect(text()).toBe('')
    await clock.pass(0.02)
    expect(text().length).toBe(3)
    expect(transactions).toBe(1)
    expect(line().all('update')).toEqual([])
  })

  test('what waits for a frame is applied when the connection is lost', async () => {
    const { line, text } = await scene({ batch: 'frame' })
    line().say('changed', { channel: 7, update: updateOf('late') })
    line().drop()
    expect(text()).toBe('late')
  })
})

describe('commands', () => {
  test('are answered', async () => {
    const { part, line } = await scene()
    const answer = part.command('rename', { title: 'x' })
    await settle()
    const { name, body, ref } = line().last('command')
    expect([name, body]).toEqual(['rename', { title: 'x' }])
    line().say('answer', { channel: 7, ref: ref!, body: { ok: true } })
    expect(await answer).toEqual({ ok: true })
  })

  test('are refused with a code', async () => {
    const { part, line } = await scene()
    const answer = part.command('rename', { title: '' })
    await settle()
    line().say('refuse', { channel: 7, ref: line().last('command')['ref']!, code: 402, reason: 'no' })
    await expect(answer).rejects.toMatchObject({ code: 402 })
  })

  test('fail without a connection, unless they may wait', async () => {
    const { part, line, clock } = await scene()
    line().drop()
    await expect(part.command('rename')).rejects.toBeInstanceOf(Disconnected)
    const queued = part.command('comment.add', { message: 'm1' }, { queue: true })
    expect(part.saved).toBe('unsaved')
    await clock.pass(1)
    line().welcome()
    line().letIn()
    await settle()
    expect(line().last('command')['body']).toEqual({ message: 'm1' })
    line().say('answer', { channel: 7, ref: line().last('command')['ref']!, body: 'done' })
    expect(await queued).toBe('done')
    expect(part.saved).toBe('saved')
  })

  test('that wait are sent one after the other, in order, and again after a break', async () => {
    const { part, line, clock } = await scene()
    const answers = ['a', 'b', 'c'].map((id) => part.command('add', { id }, { queue: true }))
    await settle()
    expect(line().all('command').length).toBe(1)
    line().say('answer', { channel: 7, ref: line().last('command')['ref']!, body: 'A' })
    await settle()
    line().drop() // b may have been done: it is sent again
    await clock.pass(1)
    line().welcome()
    line().letIn()
    await settle()
    for (const answer of ['B', 'C']) {
      line().say('answer', { channel: 7, ref: line().last('command')['ref']!, body: answer })
      await settle()
    }
    expect(line().all('command').map(({ body }) => body)).toEqual([{ id: 'b' }, { id: 'c' }])
    expect(await Promise.all(answers)).toEqual(['A', 'B', 'C'])
  })

  test('that wait are sent behind the edits they may speak of', async () => {
    const { part, line, clock, type } = await scene()
    line().drop()
    void part.command('add', {}, { queue: true })
    await type('x')
    await clock.pass(1)
    line().welcome()
    line().letIn()
    await settle()
    expect(line().said.map((each) => each.type)).toEqual(['hello', 'join', 'update', 'command'])
  })

  test('turned down for now come again, for good do not hold up the others', async () => {
    const { part, line, clock } = await scene()
    const outcomes: unknown[] = []
    part.on('command', ({ name, refused }) => outcomes.push([name, refused?.code ?? null]))
    const first = part.command('first', null, { queue: true })
    const second = part.command('second', null, { queue: true })
    const turnDown = async (code: number): Promise<void> => {
      await settle()
      line().say('refuse', { channel: 7, ref: line().last('command')['ref']!, code, reason: '' })
      await settle()
    }
    await turnDown(500)
    await clock.pass(1)
    expect(line().all('command').length).toBe(2)
    await Promise.all([turnDown(403), expect(first).rejects.toMatchObject({ code: 403 })])
    await settle()
    line().say('answer', { channel: 7, ref: line().last('command')['ref']!, body: null })
    await second
    expect(outcomes).toEqual([
      ['first', 403],
      ['second', null],
    ])
  })

  test('signals go both ways', async () => {
    const { part, line } = await scene()
    const heard: unknown[] = []
    part.on('signal', (signal) => heard.push(signal))
    line().say('signaled', { channel: 7, name: 'wave', body: 1, sender: 'u_2' })
    expect(heard).toEqual([{ name: 'wave', body: 1, sender: 'u_2' }])
    const answer = part.signal('wave', 2)
    await settle()
    line().say('answer', { channel: 7, ref: line().last('signal')['ref']!, body: 3 })
    expect(await answer).toBe(3)
  })

  test('a question about the past is answered, or refused', async () => {
    const { part, line } = await scene()
    const answer = part.history('at', { offset: 300 })
    await settle()
    const { ref, question, body } = line().last('history')
    expect([question, body]).toEqual(['at', { offset: 300 }])
    line().say('answer', { channel: 7, ref: ref!, body: { offset: 300, state: new Uint8Array([0, 0]) } })
    expect(await answer).toEqual({ offset: 300, state: new Uint8Array([0, 0]) })
    const refused = part.history('versions')
    await settle()
    line().say('refuse', { channel: 7, ref: line().last('history')['ref']!, code: 300, reason: 'no such room' })
    await expect(refused).rejects.toMatchObject({ code: 300 })
  })
})
