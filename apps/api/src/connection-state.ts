import type { Client } from '@ps/core'

/** How often the client is asked while it says that it is down, in milliseconds. */
const askInterval = 1_000

/** Whether any broker is up, as far as is known without asking. */
export interface ConnectionState {
  isConnected(): boolean
  close(): void
}

export async function watchConnection(client: Pick<Client, 'health' | 'on'>): Promise<ConnectionState> {
  let isConnected: boolean | undefined
  let timer: NodeJS.Timeout | undefined
  let isClosed = false

  const ask = async (): Promise<void> => {
    isConnected = (await client.health()).state !== 'down'
    askLater()
  }
  // Health is a round trip that a slow broker fails without having gone: then no change of state tells that it is well.
  const askLater = (): void => {
    clearTimeout(timer)
    if (isConnected === false && !isClosed) timer = setTimeout(() => void ask(), askInterval)
  }
  const stop = client.on('state', ({ state }) => {
    isConnected = state !== 'down'
    askLater()
  })
  await ask()
  return {
    isConnected: () => isConnected === true,
    close() {
      isClosed = true
      stop()
      clearTimeout(timer)
    },
  }
}
