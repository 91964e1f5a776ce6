/** Runs one statement with its parameters, `$1` and so on, within a transaction; rejects where the server refuses it. */
export type RunStatement = (text: string, parameters: string[]) => PromiseLike<unknown>

/**
 * An open transaction of PostgreSQL, in the hands of whatever library began it: a function that runs a statement in it, or the
 * object (of postgres.js, pg, Drizzle, Kysely or Prisma) that the statements of the transaction are run with. The object is known by
 * the one method that it is asked for.
 */
export type SqlTransaction =
  | RunStatement
  /** postgres.js: the `sql` that `sql.begin` gives to its callback. */
  | { unsafe(text: string, parameters: string[]): PromiseLike<unknown> }
  /** pg: the client, not the pool. */
  | { query(text: string, parameters: string[]): PromiseLike<unknown> }
  /** Drizzle: the `tx` that `db.transaction` gives to its callback. */
  | { execute(text: string): PromiseLike<unknown> }
  /** Kysely: the `trx` that `db.transaction().execute` gives to its callback. Its queries are of its own types. */
  | { executeQuery(query: never): PromiseLike<unknown> }
  /** Prisma: the `tx` that `prisma.$transaction` gives to its callback. */
  | { $executeRawUnsafe(text: string, ...parameters: string[]): PromiseLike<unknown> }
