import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { startGuardedProcess } from '../src/guarded-process.js'
import { startObservedProcess } from '../src/index.js'
import { spawnProgram, waitFor } from '../src/vitest.js'

/** Writes the first byte of a character, and the second once it is told to. */
const code = `
  const alive = setInterval(() => {}, 1_000)
  process.on('SIGUSR2', () => {
    process.stdout.write(Buffer.from([0xbc, 0x6e, 0x0a]))
    clearInterval(alive)
  })
  process.stdout.write(Buffer.from([0x67, 0x72, 0xc3]))
`

it('a character whose bytes come one by one is read as one', async ({ onTestFinished }) => {
  const folder = mkdtempSync(join(tmpdir(), 'ps-test-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  const file = join(folder, 'program.mjs')
  writeFileSync(file, code)
  const spawned = spawnProgram(file)
  const observed = await startObservedProcess({ file })
  const guarded = await startGuardedProcess({ command: process.execPath, arguments: [file] })
  onTestFinished(async () => {
    await Promise.all([spawned.stop('SIGKILL'), observed.stop(), guarded.stop()])
  })
  for (const [output, processId] of [
    [spawned.stdout, spawned.process.pid ?? 0],
    [observed.output, observed.processId],
    [guarded.output, guarded.processId],
  ] as const) {
    await waitFor(() => output().startsWith('gr'))
    process.kill(processId, 'SIGUSR2')
    await waitFor(() => output().endsWith('n\n'))
    expect(output()).toBe('grün\n')
  }
})
