import { defineConfig } from 'vitest/config'

const faults = '{packages,apps}/*/test/faults/**/*.test.ts'

export default defineConfig({
  test: {
    reporters: ['default', './packages/services/dist/count-reporter.js'],
    globalSetup: ['./packages/services/dist/vitest.js'],
    testTimeout: 30_000,
    hookTimeout: 60_000,
    maxWorkers: 3,
    passWithNoTests: false,
    projects: [
      {
        extends: true,
        test: {
          name: 'tests',
          include: ['{packages,apps}/*/test/**/*.test.ts'],
          exclude: [faults, '**/node_modules/**'],
        },
      },
      { extends: true, test: { name: 'faults', include: [faults] } },
    ],
  },
})
