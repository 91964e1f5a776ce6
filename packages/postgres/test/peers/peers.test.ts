import { fileURLToPath } from 'node:url'
import {
  findingPeers,
  findPeers,
  type Peer,
  type Program,
  requirePeer,
  uniqueName,
  waitFor,
} from '@ps/services/vitest'
import postgres from 'postgres'
import { beforeAll, expect, inject, it } from 'vitest'
import { openPeer } from '../opened-backend.js'
import { openClient } from './own-client.js'

beforeAll(() => findPeers('python', 'psql'), findingPeers)

const script = (name: string): string => fileURLToPath(new URL(name, import.meta.url))
const environment = { PYTHONUTF8: '1', PGCLIENTENCODING: 'UTF8' }

/** What fits one NOTIFY, whether characters outside ASCII are escaped or not. */
const messages: readonly unknown[] = [
  { id: 7, state: 'done' },
  { text: 'grüße 👋 日本語 \u2028 \u0000 "quoted" \\ \n' },
  'just text',
  0.5,
  null,
  true,
  [1, [2, {}], 'ü'],
  { long: 'x'.repeat(7_900) },
  { long: '日本👋'.repeat(300) },
  {},
]
const longMessages: readonly unknown[] = [
  { long: 'x'.repeat(20_000) },
  { after: 1 },
  { long: '日本👋'.repeat(2_000) },
  { '$ps.part': 'no part' },
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
  { channel, count, manner = 'select' }: { channel: string; count: number; manner?: string },
): Promise<Program> => {
  const given = [script('listen.py'), inject('postgresUrl'), channel, String(count), manner]
  const program = python.start(given, { environment })
  await program.waitForOutput(/listening/)
  return program
}

const runScript = async (python: Peer, given: readonly string[], input: unknown): Promise<void> => {
  const program = python.start(given, { environment, input: JSON.stringify(input) })
  const end = await program.exited
  expect({ ...end, stderr: program.stderr() }).toEqual({ code: 0, signal: null, stderr: '' })
}

const publish = (python: Peer, channel: string, manner: string, given: unknown): Promise<void> =>
  runScript(python, [script('publish.py'), inject('postgresUrl'), channel, manner], given)

it.for(['select', 'poll'])(
  'a Python service that hears by %s hears every message as its JSON text and nothing else',
  async (manner, test) => {
    const python = await requirePeer('python', test)
    const client = await openClient(test, { databaseUrl: inject('postgresUrl') })
    const channel = uniqueName('Grüße "an alle"')
    const program = await listen(python, { channel, count: messages.length, manner })
    for (const message of messages) expect(await client.publish(channel, message)).toBe(true)
    expect((await program.exited).code).toBe(0)
    expect(payloadsOf(program)).toEqual(messages.map((message) => JSON.stringify(message)))
  },
)

it.for(['autocommit', 'transaction', 'statement'])(
  'what a Python service publishes with json.dumps (%s) is heard, in order and whole',
  async (manner, test) => {
    const python = await requirePeer('python', test)
    const client = await openClient(test, { databaseUrl: inject('postgresUrl') })
    const channel = uniqueName('Grüße "an alle"')
    const heard: unknown[] = []
    await client.listen(channel, (message) => void heard.push(message))
    await publish(python, channel, manner, messages)
    await waitFor(() => heard.length >= messages.length)
    expect(heard).toEqual(messages)
  },
)

it('equal messages that are published at once all reach a Python service, as JSON', async (test) => {
  const python = await requirePeer('python', test)
  const client = await openClient(test, { databaseUrl: inject('postgresUrl') })
  const channel = uniqueName('equal')
  const program = await listen(python, { channel, count: 50 })
  await Promise.all(Array.from({ length: 50 }, () => client.publish(channel, { same: true })))
  expect((await program.exited).code).toBe(0)
  const payloads = payloadsOf(program)
  expect(payloads.map((payload) => JSON.parse(payload) as unknown)).toEqual(
    payloads.map(() => ({ same: true })),
  )
  // Some shared a transaction: the rule about whitespace was needed.
  expect(new Set(payloads).size).toBeGreaterThan(1)
})

it('a Python service that knows nothing of parts sees a long message as several JSON objects, and the rest as ever', async (test) => {
  const python = await requirePeer('python', test)
  const client = await openClient(test, { databaseUrl: inject('postgresUrl') })
  const channel = uniqueName('long')
  // 20,011 bytes of text are four slices in base64 at 7,999 bytes a notification; none is longer than PostgreSQL takes.
  const program = await listen(python, { channel, count: 5 })
  for (const message of longMessages.slice(0, 2)) await client.publish(channel, message)
  expect((await program.exited).code).toBe(0)
  const payloads = payloadsOf(program)
  const parts = payloads.slice(0, -1).map((payload) => JSON.parse(payload) as { '$ps.part': unknown[] })
  expect(parts.map(({ '$ps.part': [, number, count] }) => [number, count])).toEqual([
    [0, 4],
    [1, 4],
    [2, 4],
    [3, 4],
  ])
  expect(payloads.at(-1)).toBe('{"after":1}')
})

it.for(['a short name', `a name of more than 63 bytes: ${'é'.repeat(40)}`])(
  'a Python program written from the documentation reads and writes long messages, on %s',
  async (name, test) => {
    const python = await requirePeer('python', test)
    const client = await openClient(test, { databaseUrl: inject('postgresUrl') })
    const channel = uniqueName(name)
    const all = [...messages, ...longMessages]
    const reader = python.start(
      [script('parts.py'), 'read', inject('postgresUrl'), channel, String(all.length)],
      { environment },
    )
    await reader.waitForOutput(/listening/)
    for (const message of all) expect(await client.publish(channel, message)).toBe(true)
    expect((await reader.exited).code).toBe(0)
    expect(
      reader
        .stdout()
        .split('\n')
        .slice(0, -1)
        .map((line) => JSON.parse(line) as unknown),
    ).toEqual(all)

    const heard: unknown[] = []
    await client.listen(channel, (message) => void heard.push(message))
    await runScript(python, [script('parts.py'), 'write', inject('postgresUrl'), channel], all)
    await waitFor(() => heard.length >= all.length)
    expect(heard).toEqual(all)
  },
)

it('what does not fit a notification a plain Python publisher is refused by PostgreSQL itself', async (test) => {
  const python = await requirePeer('python', test)
  const program = python.start(
    [script('publish.py'), inject('postgresUrl'), uniqueName('long'), 'autocommit'],
    { environment, input: JSON.stringify([{ long: 'x'.repeat(20_000) }]) },
  )
  expect((await program.exited).code).toBe(1)
  expect(program.stderr()).toContain('payload string too long')
})

/** What a peer sees of a client with recovery: the origin, and the message without it. */
const readRecovered = (payload: string): { origin: unknown; message: unknown } => {
  const { $ps: origin, ...rest } = JSON.parse(payload) as Record<string, unknown>
  return { origin, message: String(origin).endsWith(';w') ? rest['message'] : rest }
}

it('with recovery on a Python service still reads JSON, and is heard as before', async (test) => {
  const python = await requirePeer('python', test)
  const client = await openClient(test, { databaseUrl: inject('postgresUrl'), recovery: true })
  const channel = uniqueName('recovery')
  const heard: unknown[] = []
  await client.listen(channel, (message) => void heard.push(message))
  const program = await listen(python, { channel, count: messages.length })
  for (const message of messages) expect(await client.publish(channel, message)).toBe(true)
  expect((await program.exited).code).toBe(0)
  const read = payloadsOf(program).map(readRecovered)
  expect(read.map(({ origin }) => origin)).toEqual(
    messages.map(() => expect.stringMatching(/^1;[^;]+;\d+(;[wf\d]+)*$/)),
  )
  expect(read.map(({ message }) => message)).toEqual(messages)
  await publish(python, channel, 'autocommit', messages)
  await waitFor(() => heard.length >= 2 * messages.length)
  expect(heard).toEqual([...messages, ...messages])
})

it('with packing on a Python service sees packs, which are JSON and hold every message in order; its own are heard', async (test) => {
  const python = await requirePeer('python', test)
  const client = await openClient(test, { databaseUrl: inject('postgresUrl'), packing: true })
  const channel = uniqueName('packs')
  const heard: unknown[] = []
  await client.listen(channel, (message) => void heard.push(message))
  const program = await listen(python, { channel, count: 1_000 })
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
  await publish(python, channel, 'autocommit', messages)
  await waitFor(() => heard.length >= sent.length + messages.length)
  expect(heard).toEqual([...sent, ...messages])
})

const psqlOptions = ['--no-psqlrc', '--quiet', '--set=ON_ERROR_STOP=1']

it('psql is heard with pg_notify() and with NOTIFY, and with LISTEN it hears', async (test) => {
  const psql = await requirePeer('psql', test)
  const client = await openClient(test, { databaseUrl: inject('postgresUrl') })
  const channel = uniqueName('Grüße "an alle"')
  const identifier = `"${channel.replaceAll('"', '""')}"`
  const heard: unknown[] = []
  await client.listen(channel, (message) => void heard.push(message))
  const literal = (text: string): string => `'${text.replaceAll("'", "''")}'`
  const texts = messages.map((message) => literal(JSON.stringify(message)))
  const speaker = psql.start([...psqlOptions, inject('postgresUrl')], {
    environment,
    input: [
      ...texts.map((text) => `select pg_notify(${literal(channel)}, ${text});`),
      ...texts.map((text) => `notify ${identifier}, ${text};`),
      '',
    ].join('\n'),
  })
  expect({ ...(await speaker.exited), stderr: speaker.stderr() }).toEqual({
    code: 0,
    signal: null,
    stderr: '',
  })
  await waitFor(() => heard.length >= 2 * messages.length)
  expect(heard).toEqual([...messages, ...messages])

  const listener = psql.start([...psqlOptions, inject('postgresUrl')], { environment, interactive: true })
  const say = (line: string): void => void listener.process.stdin?.write(`${line}\n`)
  say(`listen ${identifier};\n\\echo listening`)
  await listener.waitForOutput(/listening/)
  for (const message of messages) expect(await client.publish(channel, message)).toBe(true)
  // It looks for notifications after each statement, and only then.
  say('select 1;\n\\echo done')
  await listener.waitForOutput(/done/)
  const found = listener
    .stdout()
    .split('\n')
    .flatMap((line) => {
      const [, name, payload] =
        /^Asynchronous notification "(.*)" with payload "(.*)" received from server process/s.exec(line) ?? []
      return name === undefined ? [] : [[name, payload]]
    })
  expect(found).toEqual(messages.map((message) => [channel, JSON.stringify(message)]))
})

it('a trigger of a table that calls pg_notify() is heard for what is committed, and for nothing else', async (test) => {
  const client = await openClient(test, { databaseUrl: inject('postgresUrl') })
  const sql = openPeer()
  const channel = uniqueName('orders')
  const schema = uniqueName('shop')
  const table = sql(`${schema}.orders`)
  await sql.unsafe(`
    create schema "${schema}";
    create table "${schema}".orders (id int primary key, name text, paid boolean default false);
    create function "${schema}".announce() returns trigger language plpgsql as $$
    begin
      perform pg_notify('${channel}', json_build_object('change', lower(tg_op), 'order', coalesce(new, old))::text);
      return null;
    end $$;
    create trigger announce after insert or update or delete on "${schema}".orders
      for each row execute function "${schema}".announce();
  `)
  test.onTestFinished(async () => {
    const owner = postgres(inject('postgresUrl'), { onnotice: () => {} })
    await owner`drop schema ${owner(schema)} cascade`
    await owner.end()
  })
  const heard: unknown[] = []
  await client.listen(channel, (message) => void heard.push(message))
  await sql`insert into ${table} (id, name) values (1, 'Grüße 👋'), (2, 'two')`
  await sql
    .begin(async (transaction) => {
      await transaction`insert into ${table} (id, name) values (3, 'never')`
      throw new Error('rolled back')
    })
    .catch(() => {})
  await sql`update ${table} set paid = true where id = 2`
  await sql`delete from ${table} where id = 1`
  await waitFor(() => heard.length >= 4)
  expect(heard).toEqual([
    { change: 'insert', order: { id: 1, name: 'Grüße 👋', paid: false } },
    { change: 'insert', order: { id: 2, name: 'two', paid: false } },
    { change: 'update', order: { id: 2, name: 'two', paid: true } },
    { change: 'delete', order: { id: 1, name: 'Grüße 👋', paid: false } },
  ])
})
