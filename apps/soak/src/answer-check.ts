import type { Client } from '@ps/core'
import { tellParent } from './process-life.js'

/** Has the client ask its brokers how they are, and tells the orchestrator, who asked. */
export async function answerCheck(client: Pick<Client, 'health'>, id: number): Promise<void> {
  const { state } = await client.health()
  tellParent({ kind: 'checked', id, state })
}
