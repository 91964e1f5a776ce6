import type { Reporter, TestModule } from 'vitest/node'

/** Prints each skipped test with its reason, and at the very end one line with the counts of the whole run. */
export default function countReporter(): Reporter {
  return {
    onTestRunEnd(modules: readonly TestModule[], unhandledErrors, reason) {
      const counts = { passed: 0, failed: unhandledErrors.length, skipped: 0 }
      const lines: string[] = []
      for (const module of modules) {
        // A file that could not be loaded has no tests that could fail.
        if (module.state() === 'failed' && module.errors().length > 0) counts.failed += 1
        // Nor has a hook that failed: the tests below it are skipped, or have passed before.
        for (const suite of module.children.allSuites()) {
          if (suite.errors().length > 0) counts.failed += 1
        }
        for (const test of module.children.allTests()) {
          const result = test.result()
          if (result.state === 'passed') counts.passed += 1
          else if (result.state === 'failed') counts.failed += 1
          else {
            counts.skipped += 1
            const reason = result.state === 'skipped' ? (result.note ?? 'no reason given') : 'it did not run'
            lines.push(`skipped: ${module.relativeModuleId} > ${test.fullName}: ${reason}`)
          }
        }
      }
      // What failed outside of every file: the global setup, say.
      if (reason === 'failed' && counts.failed === 0) counts.failed = 1
      // Vitest itself is content where every test was skipped.
      if (counts.passed + counts.failed === 0) process.exitCode = 1
      lines.push(`${counts.passed} passed, ${counts.failed} failed, ${counts.skipped} skipped`)
      // Behind whatever other reporters still print.
      process.on('exit', () => process.stdout.write(`\n${lines.join('\n')}\n`))
    },
  }
}
