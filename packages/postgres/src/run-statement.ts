import { PubSubError, type RunStatement, type SqlTransaction } from '@ps/core'

type Method = (...values: readonly unknown[]) => PromiseLike<unknown>

/**
 * How a statement is run in a transaction that some library holds, known by the method that it has; none of the libraries is
 * needed for that. Throws `configuration` where there is no such method.
 */
export function runStatementIn(sql: SqlTransaction): RunStatement {
  const asked = {
    // postgres.js
    unsafe: (text, parameters) => [text, parameters],
    // Prisma
    $executeRawUnsafe: (text, parameters) => [text, ...parameters],
    // Kysely: what its `CompiledQuery.raw` makes.
    executeQuery: (text, parameters) => [
      {
        sql: text,
        parameters,
        query: { kind: 'RawNode', sqlFragments: [text], parameters: [] },
        queryId: { queryId: 'ps' },
      },
    ],
    // pg
    query: (text, parameters) => [text, parameters],
    // Drizzle, which takes parameters in its own class only.
    execute: (text, parameters) => [withLiterals(text, parameters)],
  } satisfies Record<string, (text: string, parameters: readonly string[]) => readonly unknown[]>

  for (const [name, values] of Object.entries(asked)) {
    const method = methodOf(sql, name)
    if (method !== undefined) return (text, parameters) => method(...values(text, parameters))
  }
  // Knex's would take the statement for the name of a table.
  if (typeof sql === 'function' && methodOf(sql, 'raw') === undefined) return sql
  throw new PubSubError(
    'configuration',
    'the option sql is no transaction that is known: give the one of postgres.js, pg, Drizzle, Kysely or Prisma, or a function (text, parameters) that runs a statement in yours',
    { backend: 'postgres' },
  )
}

function methodOf(sql: unknown, name: string): Method | undefined {
  if (sql === null || (typeof sql !== 'object' && typeof sql !== 'function')) return undefined
  const method = (sql as Readonly<Record<string, unknown>>)[name]
  return typeof method === 'function' ? (...values) => method.apply(sql, values) : undefined
}

const withLiterals = (text: string, parameters: readonly string[]): string =>
  text.replace(/\$(\d+)/g, (_, number: string) => literal(parameters[Number(number) - 1] ?? ''))

/** The same whatever `standard_conforming_strings` and `backslash_quote` say. */
const literal = (text: string): string => `E'${text.replaceAll('\\', '\\\\').replaceAll("'", "''")}'`
