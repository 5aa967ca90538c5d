// Real editing histories, and a generator that makes ones of the same shape where they are missing.
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { gunzipSync } from 'node:zlib'
import * as Y from 'yjs'
import { seeded } from './content.mjs'

const FOLDER = process.env.PARVIS_TRACES ?? fileURLToPath(new URL('../../../shared/data', import.meta.url))
const SEED = 20261120

/**
 * The history `name` as `{ source, txns, endContent }`. Each transaction has `patches` of
 * [position, deleted, inserted], an `agent` and `parents`, the transactions it builds on.
 * `source` says whether it is the real one.
 */
export function history(name) {
  const file = join(FOLDER, `${name}.json.gz`)
  if (!existsSync(file)) return { source: `generated with seed ${SEED}: ${file} is not there`, ...GENERATORS[name]() }
  const { startContent = '', endContent, txns } = JSON.parse(gunzipSync(readFileSync(file)))
  if (startContent !== '') throw new Error(`${file}: expected an empty start`)
  const full = txns.map(({ patches, agent = 0, parents }, index) => ({ patches, agent, parents: parents ?? (index ? [index - 1] : []) }))
  return { source: name, txns: full, endContent }
}

const GENERATORS = {
  'automerge-paper': () => typed(260_000),
  friendsforever: () => twoTyping(26_000),
}

/** A writer's next keystroke: typing runs, corrections, jumps, and now and then a paste. */
function writer(random) {
  let cursor = 0
  let run = 0
  return (length) => {
    cursor = Math.min(cursor, length)
    if (run === 0) {
      run = 1 + Math.floor(random() * 40)
      if (random() < 0.2) cursor = Math.floor(random() * (length + 1))
    }
    run -= 1
    if (cursor > 0 && random() < 0.25) {
      cursor -= 1
      return [cursor, 1, '']
    }
    const letters = 'etaoin shrdlucmfwyp\nvbgkéà日'
    const count = random() < 0.001 ? 200 : 1
    const inserted = Array.from({ length: count }, () => letters[Math.floor(random() * letters.length)]).join('')
    const patch = [cursor, 0, inserted]
    cursor += count
    return patch
  }
}

/** One writer's history of `count` keystrokes. */
function typed(count) {
  const next = writer(seeded(SEED))
  const text = []
  const txns = Array.from({ length: count }, (_, index) => {
    const patch = next(text.length)
    text.splice(patch[0], patch[1], ...patch[2])
    return { patches: [patch], agent: 0, parents: index ? [index - 1] : [] }
  })
  return { txns, endContent: text.join('') }
}

/** Two writers' history of `count` keystrokes, who hear of each other late and now and then. */
function twoTyping(count) {
  const random = seeded(SEED)
  const docs = [1, 2].map((clientID) => Object.assign(new Y.Doc(), { clientID }))
  const next = [writer(random), writer(random)]
  const last = [-1, -1]
  const txns = []
  for (let index = 0; index < count; index += 1) {
    const agent = Math.floor(index / 7) % 2
    const parents = [last[agent]]
    if (random() < 0.1) {
      parents.push(last[1 - agent])
      Y.applyUpdate(docs[agent], Y.encodeStateAsUpdate(docs[1 - agent], Y.encodeStateVector(docs[agent])))
    }
    const patch = next[agent](docs[agent].getText('text').length)
    change(docs[agent], [patch])
    last[agent] = index
    txns.push({ patches: [patch], agent, parents: parents.filter((parent) => parent >= 0) })
  }
  Y.applyUpdate(docs[0], Y.encodeStateAsUpdate(docs[1]))
  return { txns, endContent: docs[0].getText('text').toString() }
}

/** Makes one transaction of a history in `doc` and returns it. */
export function change(doc, patches) {
  const text = doc.getText('text')
  return doc.transact((transaction) => {
    for (const [position, deleted, inserted] of patches) {
      if (deleted > 0) text.delete(position, deleted)
      if (inserted !== '') text.insert(position, inserted)
    }
    return transaction
  })
}
