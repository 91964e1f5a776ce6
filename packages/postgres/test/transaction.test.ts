import { type Client, isPubSubError, type PubSubError } from '@ps/core'
import { uniqueName, waitFor } from '@ps/services/vitest'
import { drizzle as drizzleOverPg } from 'drizzle-orm/node-postgres'
import { drizzle as drizzleOverPostgres } from 'drizzle-orm/postgres-js'
import { Kysely, PostgresDialect } from 'kysely'
import { Pool } from 'pg'
import { expect, inject, onTestFinished, test } from 'vitest'
import { openPeer, urlWith } from './opened-backend.js'
import { hear, openClient } from './opened-client.js'

/** Two clients, one that publishes and one that listens, and what this one hears on a channel. */
async function openPair(channel = uniqueName('transaction')) {
  const [publisher, listener] = await Promise.all([openClient(), openClient()])
  return { publisher, listener, channel, heard: await hear(listener, channel) }
}

async function failureOf(work: Promise<unknown>): Promise<PubSubError> {
  const failure = await work.then(
    () => undefined,
    (error: unknown) => error,
  )
  if (!isPubSubError(failure)) throw new Error('no PubSubError was thrown', { cause: failure })
  return failure
}

/** Awkward to quote, and outside of ASCII. */
const awkward = { text: `it's "quoted" \\ \\' $1 $2 é 日本 🌍 \u2028 \u001f`, $ps: 'mine', n: 1e21 }

test('a message leaves when its transaction commits, and not before', async () => {
  const { publisher, channel, heard } = await openPair()
  const peer = openPeer()
  await peer.begin(async (tx) => {
    expect(await publisher.publish(channel, { id: 7 }, { sql: tx })).toBe(true)
    // Of another session, so it would come after one that had left.
    expect(await heard.settled()).toEqual([])
  })
  await waitFor(() => heard.messages.length === 1, { what: 'the message' })
  expect(await heard.settled()).toEqual([{ id: 7 }])
  expect((await publisher.health()).counts).toMatchObject({ published: 1, failed: 0 })
})

test('a message of a transaction that is rolled back never leaves', async () => {
  const { publisher, channel, heard } = await openPair()
  const rollback = new Error('roll back')
  const failure = await openPeer()
    .begin(async (tx) => {
      expect(await publisher.publish(channel, 1, { sql: tx })).toBe(true)
      expect(await publisher.publish(channel, 'x'.repeat(20_000), { sql: tx })).toBe(true)
      throw rollback
    })
    .catch((error: unknown) => error)
  expect(failure).toBe(rollback)
  expect(await heard.settled()).toEqual([])
})

test('a savepoint that is rolled back takes its messages along, and no others', async () => {
  const { publisher, channel, heard } = await openPair()
  await openPeer().begin(async (tx) => {
    await publisher.publish(channel, 'before', { sql: tx })
    await tx
      .savepoint(async (inner) => {
        await publisher.publish(channel, 'within', { sql: inner })
        throw new Error('roll back')
      })
      .catch(() => {})
    await tx.savepoint((inner) => publisher.publish(channel, 'kept', { sql: inner }))
    await publisher.publish(channel, 'after', { sql: tx })
  })
  await waitFor(() => heard.messages.length === 3, { what: 'the messages' })
  expect(await heard.settled()).toEqual(['before', 'kept', 'after'])
})

test('equal messages of one transaction all arrive, of one client and of several', async () => {
  const { publisher, listener, channel, heard } = await openPair()
  await openPeer().begin(async (tx) => {
    await Promise.all(
      Array.from({ length: 300 }, (_, index) =>
        (index % 2 === 0 ? publisher : listener).publish(channel, { same: true }, { sql: tx }),
      ),
    )
    await tx`select pg_notify(${channel}, '{"same":true}')`
  })
  await waitFor(() => heard.messages.length >= 301, { what: 'the messages' })
  expect(await heard.settled()).toEqual(Array.from({ length: 301 }, () => ({ same: true })))
})

test('messages of one transaction arrive in order, whatever their sizes', async () => {
  const { publisher, channel, heard } = await openPair()
  const sent = Array.from({ length: 12 }, (_, index) =>
    `${index}:`.padEnd([10, 20_000, 450_000][index % 3] ?? 0, 'é'),
  )
  await openPeer().begin((tx) =>
    Promise.all(sent.map((message) => publisher.publish(channel, message, { sql: tx }))),
  )
  await waitFor(() => heard.messages.length >= sent.length, { what: 'the messages' })
  expect((await heard.settled()) as string[]).toEqual(sent)
})

test('every size around the limit of one notification arrives whole', async () => {
  const { publisher, channel, heard } = await openPair()
  const sent = Array.from({ length: 120 }, (_, index) => 'x'.repeat(7_900 + index))
  await openPeer().begin((tx) =>
    Promise.all(sent.map((message) => publisher.publish(channel, message, { sql: tx }))),
  )
  await waitFor(() => heard.messages.length >= sent.length, { what: 'the messages' })
  expect(await heard.settled()).toEqual(sent)
})

test('a channel with a long name and a prefix, and a name of any characters', async () => {
  const prefix = `${uniqueName('team')}:`
  const client = await openClient({ prefix })
  for (const channel of ['x'.repeat(150), `Größe 日本 "'\\ ${'🌍'.repeat(20)}`]) {
    const heard = await hear(client, channel)
    await openPeer().begin((tx) => client.publish(channel, awkward, { sql: tx }))
    await waitFor(() => heard.messages.length === 1, { what: 'the message' })
    expect(heard.messages).toEqual([awkward])
  }
})

const openPool = (connectionString: string): Pool => {
  const pool = new Pool({ connectionString, max: 2 })
  onTestFinished(() => pool.end())
  return pool
}
const rollBack = Symbol('roll back')
const ignoreRollback = (error: unknown): void => {
  if (error !== rollBack) throw error
}

/** Runs `work` in a transaction, and rolls it back where `work` says so. */
type Library = (
  work: (publish: (message: unknown) => Promise<boolean>) => Promise<'commit' | 'roll back'>,
) => Promise<void>

const libraries: Record<string, (client: Client, channel: string, url: string) => Library> = {
  'postgres.js': (client, channel, url) => async (work) => {
    await openPeer(url)
      .begin(async (tx) => {
        const end = await work((message) => client.publish(channel, message, { sql: tx }))
        if (end === 'roll back') throw rollBack
      })
      .catch(ignoreRollback)
  },
  pg: (client, channel, url) => async (work) => {
    const connection = await openPool(url).connect()
    try {
      await connection.query('begin')
      const end = await work((message) => client.publish(channel, message, { sql: connection }))
      await connection.query(end === 'commit' ? 'commit' : 'rollback')
    } finally {
      connection.release()
    }
  },
  'Drizzle over postgres.js': (client, channel, url) => async (work) => {
    await drizzleOverPostgres(openPeer(url))
      .transaction(async (tx) => {
        const end = await work((message) => client.publish(channel, message, { sql: tx }))
        if (end === 'roll back') throw rollBack
      })
      .catch(ignoreRollback)
  },
  'Drizzle over pg': (client, channel, url) => async (work) => {
    await drizzleOverPg(openPool(url))
      .transaction(async (tx) => {
        const end = await work((message) => client.publish(channel, message, { sql: tx }))
        if (end === 'roll back') throw rollBack
      })
      .catch(ignoreRollback)
  },
  Kysely: (client, channel, url) => async (work) => {
    await new Kysely<object>({ dialect: new PostgresDialect({ pool: openPool(url) }) })
      .transaction()
      .execute(async (trx) => {
        const end = await work((message) => client.publish(channel, message, { sql: trx }))
        if (end === 'roll back') throw rollBack
      })
      .catch(ignoreRollback)
  },
  // Its engine is a download of its own, so this is its call alone, over a real transaction.
  'the call of Prisma': (client, channel, url) => async (work) => {
    await openPeer(url)
      .begin(async (tx) => {
        const prisma = {
          $executeRawUnsafe: async (text: string, ...values: string[]): Promise<number> =>
            (await tx.unsafe(text, values)).count,
        }
        const end = await work((message) => client.publish(channel, message, { sql: prisma }))
        if (end === 'roll back') throw rollBack
      })
      .catch(ignoreRollback)
  },
  'a function': (client, channel, url) => async (work) => {
    await openPeer(url)
      .begin(async (tx) => {
        const end = await work((message) =>
          client.publish(channel, message, { sql: (text, parameters) => tx.unsafe(text, parameters) }),
        )
        if (end === 'roll back') throw rollBack
      })
      .catch(ignoreRollback)
  },
}

test.each(Object.entries(libraries))(
  'with %s a message leaves on commit and not on rollback, whatever it holds',
  async (_, library) => {
    const { publisher, channel, heard } = await openPair()
    const transaction = library(publisher, channel, inject('postgresUrl'))
    const sent = [awkward, awkward, 'é'.repeat(20_000), null, 7]
    await transaction(async (publish) => {
      for (const message of sent) expect(await publish(message)).toBe(true)
      expect(await heard.settled()).toEqual([])
      return 'roll back'
    })
    expect(await heard.settled()).toEqual([])
    await transaction(async (publish) => {
      for (const message of sent) expect(await publish(message)).toBe(true)
      return 'commit'
    })
    await waitFor(() => heard.messages.length >= sent.length, { what: 'the messages' })
    expect(await heard.settled()).toEqual(sent)
  },
)

/** A database in which a user may do all but notify: the URL of that user. */
async function createMuteUser(): Promise<string> {
  const name = uniqueName('mute').replaceAll('-', '_')
  const peer = openPeer()
  await peer.unsafe(`create database ${name}`)
  await peer.unsafe(`create role ${name} login password 'secret'`)
  const owner = openPeer(urlWith(inject('postgresUrl'), { pathname: `/${name}` }))
  await owner.unsafe('revoke execute on function pg_notify(text, text) from public')
  return urlWith(inject('postgresUrl'), { pathname: `/${name}`, username: name, password: 'secret' })
}

test.each(Object.entries(libraries))(
  'with %s a statement that fails rejects, says why in one line, and holds the error of the library',
  async (_, library) => {
    const client = await openClient()
    const reported: PubSubError[] = []
    client.on('error', (error) => reported.push(error))
    const failures: PubSubError[] = []
    await library(
      client,
      'c',
      await createMuteUser(),
    )(async (publish) => {
      failures.push(await failureOf(publish('x'.repeat(20_000))))
      return 'roll back'
    })
    const [failure] = failures
    expect(failure).toMatchObject({ code: 'not_permitted', channel: 'c', backend: 'postgres' })
    expect(failure?.message).toBe(
      'PostgreSQL does not permit publishing: permission denied for function pg_notify',
    )
    expect(failure?.cause).toBeInstanceOf(Error)
    expect(reported).toEqual([])
    expect((await client.health()).counts).toMatchObject({ published: 0, failed: 0 })
  },
)

test('in a transaction that is aborted already a publish rejects', async () => {
  const { publisher, channel, heard } = await openPair()
  const connection = await openPool(inject('postgresUrl')).connect()
  await connection.query('begin')
  await connection.query('select 1/0').catch(() => {})
  const failure = await failureOf(publisher.publish(channel, 1, { sql: connection }))
  await connection.query('rollback')
  connection.release()
  expect(failure).toMatchObject({ code: 'not_sent', backend: 'postgres', channel, cause: { code: '25P02' } })
  expect(failure.message).toContain('current transaction is aborted')
  expect(await heard.settled()).toEqual([])
})

test('what cannot be published is refused before the transaction sees it', async () => {
  const client = await openClient()
  const statements: string[] = []
  const sql = async (text: string): Promise<void> => void statements.push(text)
  const codes = await Promise.all(
    [
      client.publish('c', undefined, { sql }),
      client.publish('c', 'x'.repeat(1_024 * 1_024), { sql }),
      client.publish('$ps.x', 1, { sql }),
    ].map(failureOf),
  )
  expect(codes.map(({ code }) => code)).toEqual(['invalid_message', 'message_too_large', 'invalid_channel'])
  await client.close()
  expect((await failureOf(client.publish('c', 1, { sql }))).code).toBe('closed')
  expect(statements).toEqual([])
})

test.each([
  ['null', null],
  ['a string', 'begin'],
  ['an object without a known method', { run: () => {} }],
  ['a function like that of Knex', Object.assign(() => Promise.resolve(), { raw: () => {} })],
])('%s is no transaction, and is refused by name', async (_, sql) => {
  const client = await openClient()
  const failure = await failureOf(client.publish('c', 1, { sql: sql as never }))
  expect(failure.code).toBe('configuration')
  expect(failure.message).toMatch(/a function \(text, parameters\)/)
})

test('without PostgreSQL among its backends a client refuses, and says what to choose', async () => {
  const client = await openClient({ backend: 'memory', fallback: 'none' })
  const failure = await failureOf(client.publish('c', 1, { sql: async () => {} }))
  expect(failure).toMatchObject({ code: 'configuration', channel: 'c' })
  expect(failure.message).toMatch(/sql needs postgres .* this client uses memory/)
})

test('a client that has never reached its database refuses, since it does not know the encoding', async () => {
  const client = await openClient({ databaseUrl: 'postgres://nobody@127.0.0.1:1/none' })
  const failure = await failureOf(client.publish('c', 1, { sql: async () => {} }))
  expect(failure.code).toBe('unavailable')
})

test.each(['LATIN1', 'SQL_ASCII', 'EUC_JP'])(
  'in a database whose encoding is %s all of it works too',
  async (encoding) => {
    const database = uniqueName('encoding').replaceAll('-', '_')
    await openPeer().unsafe(
      `create database ${database} encoding '${encoding}' locale 'C' template template0`,
    )
    const url = urlWith(inject('postgresUrl'), { pathname: `/${database}` })
    const client = await openClient({ databaseUrl: url })
    const sent = [awkward, 'é'.repeat(4_000), '🌍'.repeat(20_000), 'é'.repeat(1_330), 'é'.repeat(1_325)]
    for (const channel of ['plain', 'Größe', '日本', 'x'.repeat(200)]) {
      const heard = await hear(client, channel)
      await openPeer(url).begin((tx) =>
        Promise.all(sent.map((message) => client.publish(channel, message, { sql: tx }))),
      )
      await waitFor(() => heard.messages.length === sent.length, { what: 'the messages' })
      expect(heard.messages).toEqual(sent)
    }
  },
)

test('between messages of a client that packs and recovers, those of a transaction arrive, and nothing is missed', async () => {
  const options = { packing: true, recovery: true }
  const [publisher, listener] = await Promise.all([openClient(options), openClient(options)])
  const channel = uniqueName('between')
  const numbered: number[] = []
  const transactional: number[] = []
  const gaps: unknown[] = []
  await listener.listen(
    channel,
    (message) => {
      const { kind, n } = message as { kind: string; n: number }
      if (kind === 'numbered') numbered.push(n)
      else transactional.push(n)
    },
    { onGap: (gap) => gaps.push(gap) },
  )
  const peer = openPeer()
  const numbers = Array.from({ length: 500 }, (_, n) => n)
  const publishes = numbers.map((n) => publisher.publish(channel, { kind: 'numbered', n }))
  const commits = numbers.slice(0, 50).map((n) =>
    peer.begin(async (tx) => {
      await publisher.publish(channel, { kind: 'transactional', n }, { sql: tx })
      if (n % 5 === 0) throw rollBack
    }),
  )
  expect(new Set(await Promise.all(publishes))).toEqual(new Set([true]))
  await Promise.allSettled(commits)
  const committed = numbers.slice(0, 50).filter((n) => n % 5 !== 0)
  await waitFor(() => numbered.length >= 500 && transactional.length >= committed.length, {
    what: 'all messages',
  })
  expect(await publisher.publish(channel, { kind: 'numbered', n: 500 })).toBe(true)
  await waitFor(() => numbered.includes(500), { what: 'the last message' })
  expect(numbered).toEqual([...numbers, 500])
  // One connection runs them one after the other.
  expect(transactional).toEqual(committed)
  expect(gaps).toEqual([])
  expect((await listener.health()).recovery).toMatchObject({ requested: 0, doubles: 0 })
})
