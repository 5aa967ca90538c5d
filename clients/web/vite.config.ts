// How the page is built: into the server's package, so that the wheel carries it.
import { defineConfig } from 'vite'

export default defineConfig({
  base: '/',
  build: {
    outDir: '../../server/parvis/server/webapp',
    emptyOutDir: true,
    assetsDir: 'assets',
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    target: 'es2022',
  },
  server: {
    // `npm run dev` beside a node that runs on its usual port.
    proxy: {
      '/hocuspocus': { target: 'ws://127.0.0.1:8000', ws: true },
      '/api': 'http://127.0.0.1:8000',
    },
  },
})
