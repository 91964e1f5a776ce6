import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it, onTestFinished } from 'vitest'
import { freePort, spawnProgram } from '../src/index.js'

/** A program that has `freePort`. */
function programOf(code: string): string {
  const folder = mkdtempSync(join(tmpdir(), 'ps-ports-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  const file = join(folder, 'program.mjs')
  const module = new URL('../dist/index.js', import.meta.url)
  writeFileSync(file, `import { freePort } from ${JSON.stringify(module)}\n${code}`)
  return file
}

it('gives no port twice, though nobody has used it yet', async () => {
  const ports = new Set<number>()
  for (let count = 0; count < 200; count += 1) ports.add(await freePort())
  expect(ports.size).toBe(200)
})

// Of a server that starts, a port is not in use for seconds after it has been found.
it('gives no port that another process has been given', async () => {
  const file = programOf(`
    const ports = []
    for (let count = 0; count < 400; count += 1) ports.push(await freePort())
    console.log(JSON.stringify(ports))
    setInterval(() => {}, 1_000)`)
  const given = await Promise.all(
    Array.from({ length: 8 }, async () => {
      const program = spawnProgram(file)
      onTestFinished(async () => void (await program.stop()))
      const [line] = await program.waitForOutput(/\[.*\]\n/, 30_000)
      return JSON.parse(line) as number[]
    }),
  )
  expect(new Set(given.flat()).size).toBe(8 * 400)
})

it('lets its process end', async () => {
  expect(await spawnProgram(programOf('await freePort()')).exited).toEqual({ code: 0, signal: null })
})

// Such a port could be taken by anybody's connection before the server that it was found for has it.
it('gives no port that the system gives to whoever asks for any', async ({ skip }) => {
  const file = '/proc/sys/net/ipv4/ip_local_port_range'
  if (!existsSync(file)) skip('only Linux says which ports these are')
  const [lowest = 0] = readFileSync(file, 'utf8').split(/\s+/).map(Number)
  if (lowest < 32_768) skip('this machine has been told to give other ports than usual')
  const ports = await Promise.all(Array.from({ length: 100 }, () => freePort()))
  expect(Math.max(...ports)).toBeLessThan(lowest)
})
