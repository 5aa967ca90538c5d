// How the app is built: into the server's package, so that the wheel carries it.
import { svelte } from '@sveltejs/vite-plugin-svelte'
import { fileURLToPath } from 'node:url'
import { defineConfig } from 'vite'
import { packed } from './build/packed.js'
import { serviceWorker } from './build/service-worker.js'

const here = (path) => fileURLToPath(new URL(path, import.meta.url))
const NODE = process.env.PARVIS_NODE ?? 'http://127.0.0.1:8000'

export default defineConfig(({ mode }) => ({
  base: '/',
  plugins: [svelte(), serviceWorker({ source: here('src/worker.ts') }), packed()],
  resolve: {
    alias: [
      { find: /^@ui\//, replacement: `${here('src/ui')}/` },
      { find: /^@shell\//, replacement: `${here('src/shell')}/` },
      { find: '@i18n', replacement: here('src/i18n/index.svelte.ts') },
      { find: '@parvis/client', replacement: here('../js/src/index.ts') },
      // The schema of a product's documents, which its half on the server shares.
      { find: /^@schema\/([a-z0-9-]+)$/, replacement: here('../../plugins/parvis/plugins/') + '$1/schema.json' },
    ],
    // Two copies of Yjs in one page do not know each other's types.
    dedupe: ['yjs', 'y-protocols', 'lib0'],
    // Svelte's code for browsers, in tests too.
    ...(mode === 'test' ? { conditions: ['browser'] } : {}),
  },
  build: {
    outDir: '../../server/parvis/server/webapp',
    emptyOutDir: true,
    assetsDir: 'assets',
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    target: 'es2022',
    reportCompressedSize: false,
    // The editor, in one piece: it is wanted as a whole. What counts is how it is measured, compressed
    // and before the first edit (benchmarks/).
    chunkSizeWarningLimit: 700,
  },
  server: {
    // `npm run dev` beside a node that runs on its usual port, or on the one in PARVIS_NODE.
    fs: { allow: [here('.'), here('../js'), here('../../plugins')] },
    proxy: {
      '/ws': { target: NODE.replace(/^http/, 'ws'), ws: true },
      '/api': NODE,
    },
  },
  // The time is a guard against what hangs, not a measure: machines are busy.
  test: { environment: 'jsdom', include: ['src/**/*.test.ts'], testTimeout: 120_000 },
}))
