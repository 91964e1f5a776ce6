import { spawnSync } from 'node:child_process'
import { chownSync, existsSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import { connect, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, describe, expect, it } from 'vitest'
import { startFaultProxy, startPostgres, startRedis } from '../src/index.js'
import { isReachableByAll } from '../src/server-user.js'
import { requireRedis, spawnProgram, waitFor } from '../src/vitest.js'
import { isAlive } from './is-alive.js'

const packageFolder = fileURLToPath(new URL('..', import.meta.url))
const cleanups: (() => unknown)[] = []
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).toReversed()) await cleanup()
})

const accepts = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = connect({ host: '127.0.0.1', port })
    socket.on('connect', () => resolve(true)).on('error', () => resolve(false))
    cleanups.push(() => socket.destroy())
  })

describe('a server', () => {
  it('of PostgreSQL keeps its data and its port over kill -9 and a restart, and leaves nothing behind', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'ps-test-'))
    cleanups.push(() => {
      // As root the data stands elsewhere, since this folder is closed to the server's user, and here is a link to it.
      const place = realpathSync(join(folder, 'data'))
      rmSync(place, { recursive: true })
      rmSync(folder, { recursive: true, force: true })
    })
    const server = await startPostgres({ dataDirectory: join(folder, 'data'), password: 'kept' })
    const first = server.processId
    server.kill('SIGKILL')
    await waitFor(() => !isAlive(first), { what: 'the server to be gone' })
    await server.restart()
    expect(server.processId).not.toBe(first)
    expect(await accepts(server.port)).toBe(true)
    await server.stop()
    expect(await accepts(server.port)).toBe(false)
    const again = await startPostgres({ dataDirectory: join(folder, 'data'), password: 'kept' })
    await again.stop()
  })

  it('of Redis can be stopped and started again on the same port', async (context) => {
    requireRedis(context)
    const server = await startRedis()
    cleanups.push(() => server.stop())
    await server.halt()
    expect(await accepts(server.port)).toBe(false)
    await server.restart()
    expect(await accepts(server.port)).toBe(true)
  })

  it('and its folder are gone soon after the program that started it was killed', async () => {
    const file = join(packageFolder, `.example-${process.pid}.mjs`)
    cleanups.push(() => rmSync(file))
    writeFileSync(
      file,
      `import { startPostgres } from '@ps/services'
       const server = await startPostgres({ tls: true })
       console.log(server.processId, server.caFile, '.')
       setInterval(() => {}, 1000)`,
    )
    const program = spawnProgram(file)
    cleanups.push(() => program.stop('SIGKILL'))
    const [, processId = '', caFile = ''] = await program.waitForOutput(/(\d+) (\S+) \./)
    expect(isAlive(Number(processId))).toBe(true)
    await program.stop('SIGKILL')
    await waitFor(() => !isAlive(Number(processId)) && !existsSync(dirname(caFile)), {
      what: 'the guard to clean up',
    })
  })

  it('starts for an ordinary user as well', async ({ skip }) => {
    if (process.getuid?.() !== 0) skip('we are an ordinary user: every other test shows it')
    if (!isReachableByAll(packageFolder)) skip('this checkout is in a folder that is closed to other users')
    const home = mkdtempSync(join(tmpdir(), 'ps-home-'))
    cleanups.push(() => rmSync(home, { recursive: true, force: true }))
    chownSync(home, 65_534, 65_534)
    const code = `import { startPostgres } from ${JSON.stringify(new URL('../dist/index.js', import.meta.url).href)}
      const server = await startPostgres(); console.log(server.url); await server.stop()`
    const { stdout, stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', code], {
      uid: 65_534,
      gid: 65_534,
      cwd: home,
      env: { PATH: process.env.PATH, HOME: home, TMPDIR: home },
      encoding: 'utf8',
    })
    expect(stderr).toBe('')
    expect(stdout).toMatch(/^postgres:\/\/postgres:.+@127\.0\.0\.1:\d+\/postgres\n$/)
  })
})

describe('the fault proxy', () => {
  it('passes bytes on, cuts, freezes, thaws, refuses and accepts', async () => {
    const echo = createServer((socket) => socket.on('error', () => {}).pipe(socket))
    await new Promise<void>((resolve) => echo.listen(0, '127.0.0.1', resolve))
    cleanups.push(() => new Promise((resolve) => echo.close(resolve)))
    const address = echo.address()
    const proxy = await startFaultProxy({
      port: typeof address === 'object' && address !== null ? address.port : 0,
    })
    cleanups.push(() => proxy.close())

    let heard = ''
    let closed = false
    const socket = connect({ host: '127.0.0.1', port: proxy.port })
    socket
      .on('error', () => {})
      .on('close', () => (closed = true))
      .on('data', (chunk: Buffer) => (heard += chunk.toString()))
    socket.write('a')
    await waitFor(() => heard === 'a', { what: 'the echo' })

    proxy.freeze()
    socket.write('b')
    // What is sent on another link that is not frozen comes back meanwhile, so time enough has passed.
    const direct = connect({
      host: '127.0.0.1',
      port: typeof address === 'object' && address !== null ? address.port : 0,
    })
    cleanups.push(() => direct.destroy())
    await new Promise<void>((resolve) => direct.on('data', () => resolve()).write('x'))
    expect(heard).toBe('a')
    proxy.thaw()
    await waitFor(() => heard === 'ab', { what: 'what was held back' })

    expect(proxy.cut()).toBe(1)
    await waitFor(() => closed, { what: 'the cut' })
    await proxy.refuse()
    expect(await accepts(proxy.port)).toBe(false)
    await proxy.accept()
    expect(await accepts(proxy.port)).toBe(true)
  })
})
