// How the package's own tests run: in Node, with nothing of a browser but what a test brings.
import { defineConfig } from 'vitest/config'

export default defineConfig({
  // The time is a guard against what hangs, not a measure: machines are busy.
  test: { include: ['tests/**/*.test.ts'], environment: 'node', testTimeout: 120_000 },
})
