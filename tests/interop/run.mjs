// Runs one scenario: node run.mjs FILE FUNCTION JSON. Its answer is the last line
// on stdout. FILE stands in `scenarios` of the working directory.
//
// A scenario asks its caller for what only the caller can do (`ask('restart')`): a line
// {"ask": …} goes out on stdout, and any line on stdin means that it is done.
import { resolve } from 'node:path'
import { createInterface } from 'node:readline'
import { pathToFileURL } from 'node:url'

const [file, name, settings = '{}'] = process.argv.slice(2)
const answers = createInterface({ input: process.stdin })[Symbol.asyncIterator]()

async function ask(what) {
  process.stdout.write(`${JSON.stringify({ ask: what })}\n`)
  const { done } = await answers.next()
  if (done) throw new Error(`nobody answered "${what}"`)
}

const scenarios = await import(pathToFileURL(resolve('scenarios', `${file}.mjs`)))
if (!Object.hasOwn(scenarios, name)) throw new Error(`no scenario ${name} in scenarios/${file}.mjs`)
const result = await scenarios[name]({ ...JSON.parse(settings), ask })
process.stdout.write(`${JSON.stringify({ result: result ?? null })}\n`, () => process.exit(0))
