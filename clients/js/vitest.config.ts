// How the package's own tests run: in Node, with nothing of a browser but what a test brings.
import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: { include: ['tests/**/*.test.ts'], environment: 'node' },
})
