// Makes tests/server/moving_in/hocuspocus.db with Hocuspocus itself and its SQLite extension.
//
// It is kept in the repository because better-sqlite3 must be compiled where it runs:
//   npm install --no-save @hocuspocus/server@4.7.0 @hocuspocus/extension-sqlite@4.7.0
//   npm rebuild better-sqlite3 --ignore-scripts=false
//   node hocuspocus.mjs ../server/moving_in/hocuspocus.db
import { SQLite } from '@hocuspocus/extension-sqlite'
import { Hocuspocus } from '@hocuspocus/server'
import { ofAllKinds, ofProseMirror, ofTiptap } from './documents.mjs'

const server = new Hocuspocus({
  quiet: true,
  debounce: 0,
  extensions: [new SQLite({ database: process.argv[2] })]
})
await server.hooks('onConfigure', { configuration: server.configuration, instance: server })

async function keep (name, ...works) {
  for (const work of works) {
    const connection = await server.openDirectConnection(name, {})
    await connection.transact(work)
    await connection.disconnect()
  }
}

await keep('doc:1', ofAllKinds)
await keep('team/plan é', doc => doc.getText('text').insert(0, 'a plan'), doc => {
  doc.getText('text').insert(6, ' that grew') // by somebody else, later
})
await keep('minutes', ofTiptap)
await keep('basic', ofProseMirror)
await keep('untouched', () => {})
await keep(`${'x'.repeat(600)}`, doc => doc.getText('text').insert(0, 'a long name'))
process.exit(0)
