import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type ProgramEnd, spawnProgram } from './spawn-program.js'
import { withDeadline } from './wait-for.js'

/** How long an example may take, in milliseconds: less than the test that runs it. */
const patience = 25_000

/** The JavaScript blocks of a package's README, in order. */
export function readmeExamples(packageFolder: URL): string[] {
  const text = readFileSync(new URL('README.md', packageFolder), 'utf8')
  return [...text.matchAll(/^```js\n(.*?)^```$/gms)].map(([, code = '']) => code)
}

/** Runs an example as a program that stands in the package, so that it finds what the package depends on. */
export async function runExample(
  packageFolder: URL,
  code: string,
  environment: Readonly<Record<string, string>> = {},
): Promise<ProgramEnd & { stdout: string; stderr: string }> {
  const folder = mkdtempSync(join(fileURLToPath(packageFolder), '.example-'))
  try {
    const file = join(folder, 'example.mjs')
    writeFileSync(file, code)
    const program = spawnProgram(file, [], { environment })
    try {
      const end = await withDeadline(program.exited, patience, 'an example to end')
      return { ...end, stdout: program.stdout(), stderr: program.stderr() }
    } finally {
      await program.stop('SIGKILL')
    }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}
