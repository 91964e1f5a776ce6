import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { type ObservedProcess, startObservedProcess } from '../src/observed-process.js'

const megabyte = 1_048_576

async function observe(program: string): Promise<ObservedProcess> {
  const folder = mkdtempSync(join(tmpdir(), 'observed-'))
  const file = join(folder, 'program.mjs')
  writeFileSync(file, program)
  const observed = await startObservedProcess({ file, environment: { WORD: 'hello' } })
  onTestFinished(async () => {
    await observed.stop()
    rmSync(folder, { recursive: true, force: true })
  })
  return observed
}

test('a program that is observed tells what it uses, before a collection and after one', async () => {
  const observed = await observe(`
    const used = performance.now()
    while (performance.now() - used < 200);
    let waste = Array.from({ length: 20 }, () => Buffer.alloc(1_048_576, 1))
    process.once('SIGUSR2', () => { waste = undefined; console.log('let go') })
    setInterval(() => waste, 1_000)
    console.log(process.env.WORD, process.argv.length)`)
  expect((await observed.waitForOutput(/hello \d/))[0]).toBe('hello 2')
  const full = await observed.usage({ collect: true })
  expect(full.cpuMilliseconds).toBeGreaterThan(100)
  expect(full.live).toBeGreaterThan(20 * megabyte)
  expect(full.resident).toBeGreaterThan(full.live)
  process.kill(observed.processId, 'SIGUSR2')
  await observed.waitForOutput(/let go/)
  expect((await observed.usage({ collect: true })).live).toBeLessThan(full.live - 15 * megabyte)
  const peak = observed.peak()
  if (process.platform === 'linux') expect(peak).toBeGreaterThanOrEqual(full.resident)
})

test('its last words are found, although it has ended by then', async () => {
  const observed = await observe(`
    import { writeSync } from 'node:fs'
    writeSync(1, 'last words')
    process.kill(process.pid, 'SIGKILL')`)
  expect((await observed.waitForOutput(/last words/))[0]).toBe('last words')
})

test('it ends by itself when it has nothing to do, and what waits for it is told', async () => {
  const observed = await observe(`console.log('nothing to do')`)
  await expect(observed.waitForOutput(/something/)).rejects.toThrow('nothing to do')
  expect(observed.hasExited()).toBe(true)
})
