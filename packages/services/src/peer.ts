import type { TestContext } from 'vitest'
import { findPsql } from './psql-binary.js'
import { findPython } from './python-binary.js'
import { findRedis } from './redis-binaries.js'
import { type Program, type ProgramOptions, spawnCommand } from './spawn-program.js'

/** A program that is not ours, for a test to talk with. */
export interface Peer {
  /** Starts it. What still runs after the test is killed. */
  start(given: readonly string[], options?: ProgramOptions): Program
}

type PeerName = 'python' | 'psql' | 'redis-cli'

interface PeerBinary {
  readonly file: string
  readonly environment: NodeJS.ProcessEnv
  readonly versions: string
}

const finders: Record<PeerName, () => Promise<PeerBinary | { reason: string }>> = {
  python: findPython,
  psql: findPsql,
  async 'redis-cli'() {
    const found = await findRedis()
    if ('reason' in found) return found
    const { cli, environment, source } = found
    if (cli === undefined) return { reason: `no redis-cli came with ${source}: install it` }
    const end = spawnCommand(cli, ['--version'], { environment })
    await end.exited
    return { file: cli, environment, versions: end.stdout().trim() }
  },
}

const found = new Map<PeerName, ReturnType<(typeof finders)[PeerName]>>()

const find = (name: PeerName): ReturnType<(typeof finders)[PeerName]> => {
  const finding = found.get(name) ?? finders[name]()
  found.set(name, finding)
  return finding
}

/** Finds programs, and prints their versions, before a test that has less time than their download may take. */
export async function findPeers(...names: readonly PeerName[]): Promise<void> {
  for (const name of names) {
    const peer = await find(name)
    if ('versions' in peer) console.info(`peer: ${peer.versions}`)
  }
}

/** In milliseconds: on a fresh machine the lists of packages are fetched first. */
export const findingPeers = 180_000

/** A program that is not ours. Where none can be had the test is skipped with the reason, and under CI it fails. */
export async function requirePeer(
  name: PeerName,
  { skip, onTestFinished }: Pick<TestContext, 'skip' | 'onTestFinished'>,
): Promise<Peer> {
  const peer = await find(name)
  if ('reason' in peer) {
    if (process.env.CI) throw new Error(`this test needs ${name}: ${peer.reason}`)
    return skip(peer.reason)
  }
  const { file, environment } = peer
  return {
    start(given, options = {}) {
      const program = spawnCommand(file, given, {
        ...options,
        environment: { ...environment, ...options.environment },
      })
      onTestFinished(() => void program.process.kill('SIGKILL'))
      return program
    },
  }
}
