// Makes `/sw.js` from its source, with the list of the built files and a version that changes with them.
import { createHash } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { transformWithEsbuild } from 'vite'

/** Not kept ahead of time: pictures and licences that no page needs to open. */
const LEFT_OUT = /\.(map|txt)$|screenshot/

export function serviceWorker({ source }) {
  let publicDir = ''
  return {
    name: 'parvis-service-worker',
    apply: 'build',
    enforce: 'post',
    configResolved(config) {
      publicDir = config.publicDir
    },
    async generateBundle(_, bundle) {
      const hash = createHash('sha256')
      const files = []
      for (const [name, file] of Object.entries(bundle).sort(([a], [b]) => (a < b ? -1 : 1))) {
        if (LEFT_OUT.test(name)) continue
        hash.update(name).update(file.type === 'chunk' ? file.code : file.source)
        files.push(name === 'index.html' ? '/' : `/${name}`)
      }
      for (const entry of readdirSync(publicDir, { recursive: true, withFileTypes: true })) {
        if (!entry.isFile() || LEFT_OUT.test(entry.name)) continue
        hash.update(entry.name).update(readFileSync(join(entry.parentPath ?? entry.path, entry.name)))
        files.push(`/${join(entry.parentPath ?? entry.path, entry.name).slice(publicDir.length + 1)}`)
      }
      const code = readFileSync(source, 'utf-8')
      hash.update(code)
      const built = await transformWithEsbuild(code, source, {
        loader: 'ts',
      format: 'iife',
        minify: true,
        target: 'es2022',
        define: { __FILES__: JSON.stringify(files), __VERSION__: JSON.stringify(hash.digest('hex').slice(0, 12)) },
      })
      this.emitFile({ type: 'asset', fileName: 'sw.js', source: built.code })
    },
  }
}
