import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import { createBackend } from '../src/index.js'
import { waitFor } from '@ps/services/vitest'
import { expect, it } from 'vitest'
import { connectAdmin, startOwnRedis } from './observed-backend.js'

it('after an interruption the gap is told before the first message that follows, also where TCP brings both at once', async (test) => {
  const redis = await startOwnRedis(test)
  const peer = connectAdmin(test, redis.url)
  const links: Socket[] = []
  let holding = false
  let release = (): void => {}
  let heldText = (): string => ''
  // A link that may keep what the server sends for a moment, and then brings all of it in one piece, as TCP does under load.
  const link = createServer((outer) => {
    const inner = connect({ host: '127.0.0.1', port: redis.port, noDelay: true })
    const end = (): void => void (inner.destroy(), outer.destroy())
    const held: Buffer[] = []
    let keeps = false
    for (const socket of [inner, outer]) socket.on('error', end).on('close', end)
    outer.on('data', (chunk: Buffer) => {
      if (holding && chunk.toString().includes('$9\r\nSUBSCRIBE\r\n')) {
        keeps = true
        holding = false
        heldText = () => Buffer.concat(held).toString()
        release = () => {
          keeps = false
          outer.write(Buffer.concat(held))
        }
      }
      inner.write(chunk)
    })
    inner.on('data', (chunk: Buffer) => void (keeps ? held.push(chunk) : outer.write(chunk)))
    links.push(outer)
  })
  await new Promise<void>((resolve) => link.listen(0, '127.0.0.1', resolve))
  test.onTestFinished(() => {
    link.close()
    for (const socket of links) socket.destroy()
  })
  const { port } = link.address() as AddressInfo

  const heard: string[] = []
  const backend = createBackend({ url: redis.url, listenUrl: `redis://127.0.0.1:${port}` })
  test.onTestFinished(() => backend.close())
  await backend.start({
    message: (_, payload) => void heard.push(payload),
    gap: () => void heard.push('gap'),
    state() {},
    invalid() {},
  })
  await backend.subscribe('c')
  await peer.publish('c', 'before')
  await waitFor(() => heard.includes('before'))

  holding = true
  links[0]?.destroy()
  await waitFor(async () => !holding && (await peer.pubsub('NUMSUB', 'c'))[1] === 1)
  await peer.publish('c', 'after')
  await waitFor(() => heldText().includes('after'))
  release()
  await waitFor(() => heard.includes('after') && heard.includes('gap'))
  expect(heard).toEqual(['before', 'gap', 'after'])
})
