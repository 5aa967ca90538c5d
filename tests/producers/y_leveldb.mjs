// Makes a folder of y-leveldb: node y_leveldb.mjs FOLDER, told what to do on standard input.
//
// Each line is one JSON array: ["all", name], ["many", name, count], ["tiptap", name],
// ["flush", name], ["clear", name], ["meta", name, key, value], ["big", name, bytes],
// ["hold"]: say "held" and keep the folder open until standard input ends,
// ["die"]: end at once, as a crash does. At the end it prints {name: state} of what is kept, as base64.
import { createInterface } from 'node:readline'
import { LeveldbPersistence } from 'y-leveldb'
import { encodeStateAsUpdate } from 'yjs'
import { ofAllKinds, ofTiptap, written } from './documents.mjs'

const kept = new LeveldbPersistence(process.argv[2])
const store = async (name, updates) => {
  for (const update of updates) await kept.storeUpdate(name, update)
}
const does = {
  all: async name => store(name, written(ofAllKinds).updates),
  tiptap: async name => store(name, written(ofTiptap).updates),
  many: async (name, count) => store(name, written(doc => {
    for (let at = 0; at < count; at++) doc.getText('text').insert(at, 'abcdefghij'[at % 10])
  }).updates),
  big: async (name, bytes) => store(name, written(doc => {
    for (let at = 0; at < 8; at++) doc.getText('text').insert(0, `${at} lorem ipsum `.repeat(bytes / 104))
  }).updates),
  flush: name => kept.flushDocument(name),
  clear: name => kept.clearDocument(name),
  meta: (name, key, value) => kept.setMeta(name, key, value),
  die: () => process.kill(process.pid, 'SIGKILL')
}
for await (const line of createInterface({ input: process.stdin })) {
  const [what, ...given] = JSON.parse(line)
  if (what === 'hold') {
    await kept.getAllDocNames() // so that it is open
    console.log('held')
  } else {
    await does[what](...given)
  }
}
const contents = {}
for (const name of await kept.getAllDocNames()) {
  contents[name] = Buffer.from(encodeStateAsUpdate(await kept.getYDoc(name))).toString('base64')
}
await kept.destroy()
console.log(JSON.stringify(contents))
