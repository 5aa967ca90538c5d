// Writes a `.br` and a `.gz` beside every file of the build that gets smaller by it; the node sends those as they are.
import { readdir, readFile, writeFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { promisify } from 'node:util'
import { brotliCompress, constants, gzip } from 'node:zlib'

/** What is text. Fonts and pictures are packed already. */
const TEXT = /\.(js|css|html|svg|json|txt|webmanifest)$/
/** Below this many bytes the header costs more than compression saves. */
const LEAST = 512

const pack = {
  br: (body) =>
    promisify(brotliCompress)(body, {
      params: { [constants.BROTLI_PARAM_QUALITY]: 11, [constants.BROTLI_PARAM_SIZE_HINT]: body.length },
    }),
  gz: (body) => promisify(gzip)(body, { level: 9 }),
}

export function packed() {
  let folder = ''
  return {
    name: 'parvis-packed',
    apply: 'build',
    enforce: 'post',
    configResolved(config) {
      folder = resolve(config.root, config.build.outDir)
    },
    async closeBundle() {
      const files = await readdir(folder, { recursive: true, withFileTypes: true })
      const texts = files.filter((file) => file.isFile() && TEXT.test(file.name))
      await Promise.all(texts.map((file) => packFile(join(file.parentPath ?? file.path, file.name))))
    },
  }
}

async function packFile(path) {
  const body = await readFile(path)
  if (body.length < LEAST) return
  await Promise.all(
    Object.entries(pack).map(async ([ending, compress]) => {
      const small = await compress(body)
      if (small.length < body.length * 0.9) await writeFile(`${path}.${ending}`, small)
    }),
  )
}
