import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type RedisNode, type RedisNodeOptions, startRedisNode } from './redis-node.js'

/** What a group is made with. */
export interface RedisGroupPlace {
  startNode(options: Omit<RedisNodeOptions, 'folder'>): Promise<RedisNode>
  /** For what the nodes share. */
  readonly folder: string
}

/** Servers that belong together: `stop` stops all that have been started, as does a `start` that fails. */
export async function startRedisGroup<Group extends object>(
  start: (place: RedisGroupPlace) => Promise<Group>,
): Promise<Group & { stop(): Promise<void> }> {
  const folder = mkdtempSync(join(tmpdir(), 'ps-redis-group-'))
  const nodes: ReturnType<typeof startRedisNode>[] = []
  let isStopped = false
  const stop = async (): Promise<void> => {
    isStopped = true
    // Some may be about to start.
    const outcomes = await Promise.allSettled(nodes)
    const started = outcomes.flatMap((outcome) => (outcome.status === 'fulfilled' ? [outcome.value] : []))
    await Promise.all(started.map((node) => node.stop()))
    rmSync(folder, { recursive: true, force: true })
  }
  const startNode: RedisGroupPlace['startNode'] = async (options) => {
    if (isStopped) throw new Error('the group has been stopped')
    const node = startRedisNode({ ...options, folder })
    nodes.push(node)
    return node
  }
  try {
    return Object.assign(await start({ startNode, folder }), { stop })
  } catch (error) {
    await stop()
    throw error
  }
}
