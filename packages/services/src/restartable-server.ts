import { rmSync } from 'node:fs'
import { accepts } from './accepts.js'
import { type GuardedProcess, type GuardedProcessOptions, startGuardedProcess } from './guarded-process.js'
import { descendants } from './process-tree.js'
import { sendSignal } from './send-signal.js'
import { waitFor } from './wait-for.js'

export interface RestartableServerOptions extends GuardedProcessOptions {
  /** For messages. */
  readonly name: string
  readonly port: number
  /** Removed when the server is stopped for good, or does not start. */
  readonly folder: string
  /** Whether it can be used. Default: its port takes connections. */
  readonly isReady?: ((process: GuardedProcess) => boolean | Promise<boolean>) | undefined
  /** Sent before it is stopped, to a server that would wait for its clients otherwise. Default: none. */
  readonly endSignal?: NodeJS.Signals | undefined
  /** In milliseconds. Default: 10,000. */
  readonly startTimeout?: number | undefined
}

/** A server that can be stopped and started again in its place. */
export interface RestartableServer {
  readonly processId: number
  hasExited(): boolean
  /** What it has written lately. */
  log(): string
  kill(signal: NodeJS.Signals): void
  /** Stops it, if it still runs, and starts it again. */
  restart(): Promise<void>
  halt(): Promise<void>
  /** Stops it and removes its folder. */
  stop(): Promise<void>
}

export async function startRestartableServer({
  name,
  port,
  folder,
  isReady = () => accepts(port),
  endSignal,
  startTimeout = 10_000,
  temporaryFolders = [],
  ...options
}: RestartableServerOptions): Promise<RestartableServer> {
  const launch = async (): Promise<GuardedProcess> => {
    const launched = await startGuardedProcess({
      ...options,
      temporaryFolders: [folder, ...temporaryFolders],
    })
    try {
      await waitFor(async () => launched.hasExited() || (await isReady(launched)), {
        timeout: startTimeout,
        what: `${name} to start on port ${port}`,
      })
    } catch (error) {
      await launched.stop()
      throw error
    }
    if (launched.hasExited()) throw new Error(`${name} did not start: ${launched.output().trim()}`)
    return launched
  }

  let server = await launch().catch((error: unknown) => {
    rmSync(folder, { recursive: true, force: true })
    throw error
  })
  const halt = async (): Promise<void> => {
    if (server.hasExited()) return
    // A stopped server could not hear that it is to end. A killed one may not have been seen to end yet.
    for (const processId of [server.processId, ...descendants(server.processId)])
      sendSignal(processId, 'SIGCONT')
    if (endSignal !== undefined) sendSignal(server.processId, endSignal)
    await server.stop()
  }
  return {
    get processId() {
      return server.processId
    },
    hasExited: () => server.hasExited(),
    log: () => server.output(),
    kill: (signal) => sendSignal(server.processId, signal),
    async restart() {
      await halt()
      server = await launch()
    },
    halt,
    async stop() {
      await halt()
      rmSync(folder, { recursive: true, force: true })
    },
  }
}
