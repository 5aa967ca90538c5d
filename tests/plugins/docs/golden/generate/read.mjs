// Reads updates from standard input, a JSON list of base64, and answers with what the binding reads.
import { readFileSync } from 'node:fs'
import { Y, newDoc, read } from './stock.mjs'

const updates = JSON.parse(readFileSync(0, 'utf8'))
const answers = updates.map((update) => {
  const doc = newDoc()
  Y.applyUpdate(doc, Buffer.from(update, 'base64'))
  return read(doc)
})
process.stdout.write(JSON.stringify(answers), () => process.exit(0))
