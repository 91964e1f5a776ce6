import { defineConfig } from 'vitest/config'

const faults = '{packages,apps}/*/test/faults/**/*.test.ts'
/** What takes all that the machine has, so that deadlines of others, and its own, would pass beside it. */
const alone = ['packages/*/test/faults/stress.test.ts', 'packages/core/test/faults/recovery-model.test.ts']

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
      {
        extends: true,
        test: { name: 'faults', include: [faults], exclude: [...alone, '**/node_modules/**'] },
      },
      { extends: true, test: { name: 'alone', include: alone } },
    ],
  },
})
