import postgres from 'postgres'
import type { Adapter, BenchMessage } from '../adapter.js'

export async function connectPostgresJs(url: string): Promise<Adapter> {
  const sql = postgres(url, { max: 1, onnotice: () => {} })
  await sql`select 1`
  return {
    publish: (channel, message) => sql.notify(channel, JSON.stringify(message)),
    listen: (channel, hear) => sql.listen(channel, (text) => hear(JSON.parse(text) as BenchMessage)),
    close: () => sql.end({ timeout: 1 }),
  }
}
