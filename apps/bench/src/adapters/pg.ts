import { Client } from 'pg'
import type { Adapter } from '../adapter.js'
import { createDispatch } from '../dispatch.js'

export async function connectPg(url: string): Promise<Adapter> {
  const client = new Client({ connectionString: url })
  await client.connect()
  const dispatch = createDispatch()
  client.on('notification', ({ channel, payload }) => dispatch.payload(channel, payload ?? ''))
  return {
    publish: (channel, message) =>
      client.query('select pg_notify($1, $2)', [channel, JSON.stringify(message)]),
    async listen(channel, hear) {
      if (dispatch.add(channel, hear)) await client.query(`listen ${client.escapeIdentifier(channel)}`)
    },
    close: () => client.end(),
  }
}
