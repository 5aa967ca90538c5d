// How Svelte compiles the app: runes everywhere, styles into files (the page's CSP allows no others).
import { vitePreprocess } from '@sveltejs/vite-plugin-svelte'

export default {
  preprocess: vitePreprocess(),
  compilerOptions: { runes: true, css: 'external' },
  // bits-ui is written with runes too, and compiled along.
  vitePlugin: { dynamicCompileOptions: ({ filename }) => (filename.includes('node_modules') ? { runes: undefined } : undefined) },
}
