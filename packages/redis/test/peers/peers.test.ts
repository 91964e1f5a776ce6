import { fileURLToPath } from 'node:url'
import {
  findingPeers,
  findPeers,
  type Peer,
  type Program,
  requirePeer,
  requireRedis,
  uniqueName,
  waitFor,
} from '@ps/services/vitest'
import { beforeAll, expect, it } from 'vitest'
import { openClient } from './own-client.js'

beforeAll(() => findPeers('python', 'redis-cli'), findingPeers)

const script = (name: string): string => fileURLToPath(new URL(name, import.meta.url))
const environment = { PYTHONUTF8: '1' }

const messages: readonly unknown[] = [
  { id: 7, state: 'done' },
  { text: 'grüße 👋 日本語 \u2028 \u0000 "quoted" \\ \n' },
  'just text',
  0.5,
  null,
  true,
  [1, [2, {}], 'ü'],
  { long: 'x'.repeat(20_000) },
  { long: '日本👋'.repeat(2_000) },
  {},
]

/** What a listening script has written, as it stood on the wire. */
const payloadsOf = (program: Program): string[] =>
  program
    .stdout()
    .split('\n')
    .slice(0, -1)
    .map((line) => String(JSON.parse(line)))

const listen = async (
  python: Peer,
  { url, channel, count, manner }: { url: string; channel: string; count: number; manner: string },
): Promise<Program> => {
  const program = python.start([script('listen.py'), url, channel, String(count), manner], { environment })
  await program.waitForOutput(/listening/)
  return program
}

const publish = async (python: Peer, url: string, channel: string, given: unknown): Promise<void> => {
  const program = python.start([script('publish.py'), url, channel], {
    environment,
    input: JSON.stringify(given),
  })
  expect({ ...(await program.exited), stderr: program.stderr() }).toEqual({
    code: 0,
    signal: null,
    stderr: '',
  })
}

it.for(['listen', 'get_message'])(
  'a Python service that hears by %s hears every message as its JSON text and nothing else',
  async (manner, test) => {
    const url = requireRedis(test)
    const python = await requirePeer('python', test)
    const client = await openClient(test, { redisUrl: url })
    const channel = uniqueName('grüße mit leerzeichen')
    const program = await listen(python, { url, channel, count: messages.length, manner })
    for (const message of messages) expect(await client.publish(channel, message)).toBe(true)
    expect((await program.exited).code).toBe(0)
    expect(payloadsOf(program)).toEqual(messages.map((message) => JSON.stringify(message)))
  },
)

it('what a Python service publishes with json.dumps is heard, in order and whole', async (test) => {
  const url = requireRedis(test)
  const python = await requirePeer('python', test)
  const client = await openClient(test, { redisUrl: url })
  const channel = uniqueName('grüße mit leerzeichen')
  const heard: unknown[] = []
  await client.listen(channel, (message) => void heard.push(message))
  await publish(python, url, channel, [...messages, ...messages])
  await waitFor(() => heard.length >= 2 * messages.length)
  expect(heard).toEqual([...messages, ...messages])
})

/** What a peer sees of a client with recovery: the origin, and the message without it. */
const readRecovered = (payload: string): { origin: unknown; message: unknown } => {
  const { $ps: origin, ...rest } = JSON.parse(payload) as Record<string, unknown>
  return { origin, message: String(origin).endsWith(';w') ? rest['message'] : rest }
}

it('with recovery on a Python service still reads JSON, and is heard as before', async (test) => {
  const url = requireRedis(test)
  const python = await requirePeer('python', test)
  const client = await openClient(test, { redisUrl: url, recovery: true })
  const channel = uniqueName('recovery')
  const heard: unknown[] = []
  await client.listen(channel, (message) => void heard.push(message))
  const program = await listen(python, { url, channel, count: messages.length, manner: 'listen' })
  for (const message of messages) expect(await client.publish(channel, message)).toBe(true)
  expect((await program.exited).code).toBe(0)
  const read = payloadsOf(program).map(readRecovered)
  expect(read.map(({ origin }) => origin)).toEqual(
    messages.map(() => expect.stringMatching(/^1;[^;]+;\d+(;[wf\d]+)*$/)),
  )
  expect(read.map(({ message }) => message)).toEqual(messages)
  await publish(python, url, channel, messages)
  await waitFor(() => heard.length >= 2 * messages.length)
  expect(heard).toEqual([...messages, ...messages])
})

it('with packing on a Python service sees packs, which are JSON and hold every message in order; its own are heard', async (test) => {
  const url = requireRedis(test)
  const python = await requirePeer('python', test)
  const client = await openClient(test, { redisUrl: url, packing: true })
  const channel = uniqueName('packs')
  const heard: unknown[] = []
  await client.listen(channel, (message) => void heard.push(message))
  const program = await listen(python, { url, channel, count: 1_000, manner: 'get_message' })
  const sent = Array.from({ length: 500 }, (_, id) => ({ id, text: 'ü' }))
  const accepted = await Promise.all(sent.map((message) => client.publish(channel, message)))
  expect(new Set(accepted)).toEqual(new Set([true]))
  const unpack = (payload: string): unknown[] => {
    const value = JSON.parse(payload) as { '$ps.pack'?: unknown[] }
    return value['$ps.pack'] ?? [value]
  }
  const unpacked = await waitFor(() => {
    const all = payloadsOf(program).flatMap(unpack)
    return all.length >= sent.length && all
  })
  expect(unpacked).toEqual(sent)
  expect(payloadsOf(program).length).toBeLessThan(sent.length)
  await publish(python, url, channel, messages)
  await waitFor(() => heard.length >= sent.length + messages.length)
  expect(heard).toEqual([...sent, ...messages])
})

it('redis-cli PUBLISH is heard, and redis-cli SUBSCRIBE hears', async (test) => {
  const url = requireRedis(test)
  const cli = await requirePeer('redis-cli', test)
  const client = await openClient(test, { redisUrl: url })
  const channel = uniqueName('grüße mit leerzeichen')
  const heard: unknown[] = []
  await client.listen(channel, (message) => void heard.push(message))
  for (const message of messages) {
    // `-x`: the last argument comes from standard input, as it is.
    const program = cli.start(['-u', url, '-x', 'PUBLISH', channel], { input: JSON.stringify(message) })
    expect(await program.exited).toEqual({ code: 0, signal: null })
  }
  await waitFor(() => heard.length >= messages.length)
  expect(heard).toEqual(messages)

  const subscriber = cli.start(['-u', url, '--raw', 'SUBSCRIBE', channel])
  await subscriber.waitForOutput(/subscribe\n/)
  for (const message of messages) expect(await client.publish(channel, message)).toBe(true)
  const lines = await waitFor(() => {
    const found = subscriber.stdout().split('\n').slice(3, -1)
    return found.length >= 3 * messages.length && found
  })
  expect(lines).toEqual(messages.flatMap((message) => ['message', channel, JSON.stringify(message)]))
})
