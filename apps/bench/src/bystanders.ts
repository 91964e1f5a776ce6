import { Client } from 'pg'

/** Opens connections that listen to a channel that nobody publishes on. Returns how to close them. */
export async function startBystanders(url: string, count: number): Promise<() => Promise<void>> {
  const clients = Array.from({ length: count }, () => new Client({ connectionString: url }))
  const close = async (): Promise<void> => {
    await Promise.all(clients.map((client) => client.end()))
  }
  try {
    await Promise.all(
      clients.map(async (client) => {
        await client.connect()
        await client.query('listen bystanders')
      }),
    )
  } catch (error) {
    await close()
    throw error
  }
  return close
}
