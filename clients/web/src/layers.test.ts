// Who may import whom. The same is kept on the server by import-linter.
import { expect, test } from 'vitest'
import settings from '../package.json'

const SOURCES = import.meta.glob<string>('./**/*.{ts,svelte}', { query: '?raw', import: 'default', eager: true })
const ALIASES: readonly (readonly [RegExp, string])[] = [
  [/^@ui\//, './ui/'],
  [/^@shell\//, './shell/'],
  [/^@i18n$/, './i18n/index.svelte.ts'],
]
const FILES = Object.keys(SOURCES).filter((file) => !file.endsWith('.test.ts'))

/** What each layer may import besides itself. `main.ts` puts them together and is in none. */
const MAY_IMPORT: Readonly<Record<string, readonly string[]>> = {
  device: [],
  i18n: ['device'],
  ui: ['i18n'],
  shell: ['ui', 'i18n', 'device'],
  'products/*': ['shell', 'ui', 'i18n', 'device'],
}
/** Packages that only some may know: everywhere else they are behind those. */
const ONLY_FOR: Readonly<Record<string, RegExp>> = {
  'bits-ui': /^\.\/ui\/|^\.\/shell\/Palette\.svelte$/,
  yjs: /^\.\/products\//,
  '@tiptap/core': /^\.\/products\/[^/]+\/editor\//,
  '@parvis/client': /^\.\/(products|shell)\//,
}
/** Code that lives without the framework: what it brings along, however indirectly, may not need it. */
const PLAIN = /^\.\/products\/[^/]+\/editor\//

/** What stands in quotation marks after `import` and `from`. */
function named(file: string): string[] {
  const code = (SOURCES[file] ?? '').replace(/^\s*(\/\/|\*).*$/gm, '')
  return Array.from(code.matchAll(/(?:\bfrom|\bimport)\s*\(?\s*'([^']+)'/g), ([, name = '']) => name)
}

/** The file of this app that a name stands for; null for a package. */
function resolved(name: string, from: string): string | null {
  let path = name
  for (const [alias, folder] of ALIASES) path = path.replace(alias, folder)
  if (path.startsWith('.') && path === name) path = new URL(name, `http://app/${from}`).pathname.replace(/^\//, './')
  else if (path === name) return null
  const found = ['', '.ts', '.svelte.ts', '/index.ts'].map((end) => path + end).find((file) => file in SOURCES)
  return found ?? path
}

function packageOf(name: string): string {
  const [first = '', second = ''] = name.split('/')
  return first.startsWith('@') ? `${first}/${second}` : first
}

function layerOf(file: string): string | null {
  const [, layer = '', product = ''] = /^\.\/(\w+)\/([^/]+)/.exec(file) ?? []
  if (layer !== 'products') return layer === '' ? null : layer
  return product.includes('.') ? null : `products/${product}`
}

test('layers import only what is below them, and products not each other', () => {
  const wrong = FILES.flatMap((file) => {
    const layer = layerOf(file)
    if (layer === null) return []
    const allowed = MAY_IMPORT[layer.replace(/\/.*/, '/*')] ?? []
    const targets = named(file).map((name) => resolved(name, file))
    return targets.filter((target) => target !== null && layerOf(target) !== layer && !allowed.includes(layerOf(target) ?? 'main')).map((target) => `${file} → ${target}`)
  })
  expect(wrong).toEqual([])
})

test('each layer is here, and what is imported was found', () => {
  const layers = new Set(FILES.map((file) => layerOf(file)?.replace(/\/.*/, '/*')).filter((layer) => layer !== undefined))
  expect([...layers].sort()).toEqual(Object.keys(MAY_IMPORT).sort())
  const lost = FILES.flatMap((file) => named(file).map((name) => resolved(name, file))).filter((target) => target !== null && !target.endsWith('.css') && !(target in SOURCES))
  expect(lost).toEqual([])
})

test('no layer below the products names one', () => {
  const products = new Set(FILES.map(layerOf).flatMap((layer) => (layer?.startsWith('products/') ? [layer.slice('products/'.length)] : [])))
  const naming = FILES.filter((file) => {
    const code = (SOURCES[file] ?? '').replace(/^\s*(\/\/|\/?\*).*$/gm, '')
    return !layerOf(file)?.startsWith('products/') && [...products].some((product) => new RegExp(`['"\`/]${product}['"\`/?#.]`).test(code))
  })
  expect(naming).toEqual([])
})

test('a package that is behind something is imported by nothing else', () => {
  const wrong = FILES.flatMap((file) => named(file).map((name) => [file, packageOf(name)] as const)).filter(([file, name]) => ONLY_FOR[name]?.test(file) === false)
  expect(wrong).toEqual([])
})

test('an editor brings no framework along', () => {
  const reached = new Set(FILES.filter((file) => PLAIN.test(file)))
  expect(reached.size).toBeGreaterThan(0)
  const framework: string[] = []
  for (const file of reached) {
    for (const name of named(file)) {
      const target = resolved(name, file)
      if (packageOf(name) === 'svelte' || target?.includes('.svelte')) framework.push(`${file} → ${name}`)
      else if (target !== null && target in SOURCES) reached.add(target)
    }
  }
  expect(framework).toEqual([])
})

test('every package that is installed for the page is imported by it', () => {
  const used = new Set(FILES.flatMap((file) => named(file).map(packageOf)))
  // Style sheets name the fonts; lib0 is here so that Yjs and the page share one copy.
  const unseen = /^@fontsource|^lib0$/
  expect(Object.keys(settings.dependencies).filter((name) => !used.has(name) && !unseen.test(name))).toEqual([])
})
