// Writes a `.br` beside every file of the build that gets smaller by it; the node sends those as they are.
import { readdir, readFile, writeFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { promisify } from 'node:util'
import { brotliCompress, constants } from 'node:zlib'

const compress = promisify(brotliCompress)
/** What is text. Fonts and pictures are packed already. */
const TEXT = /\.(js|css|html|svg|json|txt|webmanifest)$/
/** Below this many bytes the header costs more than compression saves. */
const LEAST = 512

export function brotli() {
  let folder = ''
  return {
    name: 'parvis-brotli',
    apply: 'build',
    enforce: 'post',
    configResolved(config) {
      folder = resolve(config.root, config.build.outDir)
    },
    async closeBundle() {
      const files = await readdir(folder, { recursive: true, withFileTypes: true })
      await Promise.all(
        files
          .filter((file) => file.isFile() && TEXT.test(file.name))
          .map(async (file) => {
            const path = join(file.parentPath ?? file.path, file.name)
            const body = await readFile(path)
            if (body.length < LEAST) return
            const packed = await compress(body, {
              params: { [constants.BROTLI_PARAM_QUALITY]: 11, [constants.BROTLI_PARAM_SIZE_HINT]: body.length },
            })
            if (packed.length < body.length * 0.95) await writeFile(`${path}.br`, packed)
          }),
      )
    },
  }
}
