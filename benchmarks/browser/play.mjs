// Runs one scenario: node play.mjs FILE JSON. Lines of JSON go out: {"ask": …, "with": …}, each answered
// by a line of JSON on stdin, and at the end {"result": …}.
import { createInterface } from 'node:readline'

const [file, settings] = process.argv.slice(2)
const answers = createInterface({ input: process.stdin })[Symbol.asyncIterator]()

async function ask(what, given = null) {
  process.stdout.write(`${JSON.stringify({ ask: what, with: given })}\n`)
  const { done, value } = await answers.next()
  if (done) throw new Error(`nobody answered "${what}"`)
  return JSON.parse(value)
}

const { measure } = await import(`./${file}.mjs`)
const result = await measure({ ...JSON.parse(settings), ask })
process.stdout.write(`${JSON.stringify({ result })}\n`, () => process.exit(0))
