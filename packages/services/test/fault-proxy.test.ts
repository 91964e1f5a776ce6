import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, expect, it } from 'vitest'
import { type FaultProxy, startFaultProxy } from '../src/index.js'
import { spawnProgram, waitFor, withDeadline } from '../src/vitest.js'

const cleanups: (() => unknown)[] = []
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).toReversed()) await cleanup()
})

interface Line {
  readonly socket: Socket
  readonly chunks: Buffer[]
  heard(): string
}

/** A server that sends everything back, a proxy before it, and a connection through that. */
async function openLine(): Promise<{ proxy: FaultProxy; line: Line; direct: () => Line; server: Socket[] }> {
  const server: Socket[] = []
  const echo = createServer({ allowHalfOpen: true }, (socket) => {
    server.push(socket)
    socket.on('error', () => {}).pipe(socket)
  })
  await once(echo.listen(0, '127.0.0.1'), 'listening')
  const { port } = echo.address() as AddressInfo
  cleanups.push(() => new Promise((resolve) => echo.close(resolve)))
  const proxy = await startFaultProxy({ port })
  cleanups.push(() => proxy.close())
  const open = (at: number): Line => {
    const socket = connect({ host: '127.0.0.1', port: at, noDelay: true })
    const chunks: Buffer[] = []
    socket.on('error', () => {}).on('data', (chunk) => chunks.push(chunk))
    cleanups.push(() => socket.destroy())
    return { socket, chunks, heard: () => Buffer.concat(chunks).toString() }
  }
  return { proxy, line: open(proxy.port), direct: () => open(port), server }
}

/** Returns once a connection that has no fault has gone back and forth: time enough for what has none. */
async function goBackAndForth(direct: () => Line): Promise<void> {
  const other = direct()
  other.socket.write('x')
  await waitFor(() => other.heard() === 'x')
}

it('trickles: each byte comes by itself, until it is normal again', async () => {
  const { proxy, line } = await openLine()
  const text = 'abcdefghij'.repeat(300)
  proxy.trickle()
  line.socket.write(text)
  await waitFor(() => line.heard().length >= text.length, { what: 'the text' })
  expect(line.heard()).toBe(text)
  // Some may meet in the reader's buffer.
  expect(line.chunks.length).toBeGreaterThan(text.length / 2)

  proxy.normal()
  const before = line.chunks.length
  line.socket.write(text)
  await waitFor(() => line.heard().length >= 2 * text.length, { what: 'the text again' })
  expect(line.chunks.length - before).toBeLessThan(text.length / 100)
})

it('delays what comes, in order, and lets go of it when it is normal again', async () => {
  const { proxy, line, direct } = await openLine()
  proxy.delay(60_000)
  line.socket.write('a')
  await goBackAndForth(direct)
  line.socket.write('b')
  await goBackAndForth(direct)
  expect(line.heard()).toBe('')
  // Shorter: what came before must not be overtaken.
  proxy.delay(20)
  line.socket.write('c')
  await waitFor(() => line.heard().length >= 3)
  proxy.delay(60_000)
  line.socket.write('d')
  await goBackAndForth(direct)
  expect(line.heard()).toBe('abc')
  proxy.normal()
  await waitFor(() => line.heard() === 'abcd')
})

it('keeps a freeze over the end of a delay, and a delay over the end of a freeze', async () => {
  const { proxy, line, direct } = await openLine()
  proxy.freeze()
  proxy.delay(60_000)
  proxy.trickle()
  line.socket.write('abc')
  await waitFor(() => proxy.heldBytes === 3, { what: 'the bytes to be held back' })
  proxy.normal()
  await goBackAndForth(direct)
  expect(line.heard()).toBe('')
  proxy.delay(60_000)
  proxy.thaw()
  await goBackAndForth(direct)
  expect(line.heard()).toBe('')
  proxy.normal()
  await waitFor(() => line.heard() === 'abc')
  expect(proxy.heldBytes).toBe(3)
})

it('takes a bounded number of bytes while frozen, and loses none', async () => {
  const { proxy, line } = await openLine()
  line.socket.write('x')
  await waitFor(() => line.heard() === 'x')
  proxy.freeze()
  const sent = 16 * 1_024 * 1_024
  let isSent = false
  line.socket.write(Buffer.alloc(sent, 'y'), () => (isSent = true))
  await waitFor(() => proxy.heldBytes > 64 * 1_024)
  expect(proxy.heldBytes).toBeLessThan(1_024 * 1_024)
  expect(isSent).toBe(false)
  proxy.thaw()
  await waitFor(() => line.chunks.reduce((sum, { length }) => sum + length, 0) === sent + 1)
})

it('keeps the end of a connection back while frozen, as it does bytes', async () => {
  const { proxy, line, direct, server } = await openLine()
  await waitFor(() => server.length === 1)
  let ended = false
  server[0]?.on('close', () => (ended = true))
  proxy.freeze()
  line.socket.destroy()
  await goBackAndForth(direct)
  expect({ ended, connections: proxy.connections }).toEqual({ ended: false, connections: 1 })
  proxy.thaw()
  await waitFor(() => ended && proxy.connections === 0)
})

it('passes on half of an end: the answer to what was sent before still arrives', async () => {
  const { proxy, line } = await openLine()
  proxy.trickle()
  line.socket.end('last words')
  await once(line.socket, 'close')
  expect(line.heard()).toBe('last words')
  await waitFor(() => proxy.connections === 0)
})

it('counts every connection that it has taken', async () => {
  const { proxy, line } = await openLine()
  await once(line.socket, 'connect')
  await waitFor(() => proxy.accepted === 1 && proxy.connections === 1)
  proxy.cut()
  const again = connect(proxy.port, '127.0.0.1')
  cleanups.push(() => again.destroy())
  await waitFor(() => proxy.accepted === 2 && proxy.connections === 1)
})

it('lets a program end that cuts a link whose other side has just hung up', async () => {
  const code = `
    import { once } from 'node:events'
    import { connect, createServer } from 'node:net'
    import { startFaultProxy } from '../dist/index.js'
    const server = createServer({ allowHalfOpen: true })
    await once(server.listen(0, '127.0.0.1'), 'listening')
    const proxy = await startFaultProxy({ port: server.address().port })
    const accepted = once(server, 'connection')
    const client = connect(proxy.port, '127.0.0.1').on('error', () => {})
    const [socket] = await accepted
    socket.on('error', () => {})
    proxy.freeze()
    await once(socket.end(), 'finish')
    for (let turn = 0; turn < 20; turn += 1) await new Promise((resolve) => setImmediate(resolve))
    proxy.thaw()
    await proxy.close()
    for (const one of [client, socket]) one.destroy()
    server.close()
  `
  const folder = mkdtempSync(join(fileURLToPath(new URL('..', import.meta.url)), '.example-'))
  cleanups.push(() => rmSync(folder, { recursive: true, force: true }))
  const file = join(folder, 'program.mjs')
  writeFileSync(file, code)
  const program = spawnProgram(file)
  cleanups.push(() => program.stop('SIGKILL'))
  expect(await withDeadline(program.exited, 10_000, 'the program to end')).toEqual({ code: 0, signal: null })
})
