import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import type { Backend } from '@ps/core'
import { createMemoryBroker } from '@ps/core/memory'
import { startFaultProxy } from '@ps/services'
import type { CaseSubject } from '../../src/run-case.js'
import { startTcpBroker } from '../tcp-broker.js'
import type { Change } from './mutant.js'

/** A broker of its own with what the suite does to it, and backends that are sound but for one change. */
export interface World extends CaseSubject {
  create(): Backend
  /** Ends what still goes on in it: breaks every connection and closes every backend that was made. */
  abandon(): Promise<void>
  close(): Promise<void>
}

const packageFolder = fileURLToPath(new URL('../..', import.meta.url))
const page = readFileSync(join(packageFolder, '..', '..', 'docs', 'write-a-backend.md'), 'utf8')
const [, soundCode = ''] = /^```js\n(import \{ connect \}.*?)^```$/ms.exec(page) ?? []

interface TcpModule {
  createBackend(options: { url: string }): Backend
}

const importCode = async (code: string): Promise<TcpModule> => {
  const folder = mkdtempSync(join(packageFolder, '.example-'))
  try {
    const file = join(folder, 'tcp-backend.js')
    writeFileSync(file, code)
    return (await import(pathToFileURL(file).href)) as TcpModule
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

const changedCode = (change: Change | undefined): string => {
  if (change === undefined || !('code' in change)) return soundCode
  const [found, replacement] = change.code
  const parts = soundCode.split(found)
  const count = parts.length - 1
  if (count !== 1)
    throw new Error(`docs/write-a-backend.md must hold ${JSON.stringify(found)} once, not ${count} times`)
  return parts.join(replacement)
}

const applyTo = (backend: Backend, change: Change | undefined): Backend =>
  change !== undefined && 'backend' in change ? { ...backend, ...change.backend(backend) } : backend

/** What is sound must pass also on a busy machine, and what is not must be found out soon, in milliseconds. */
const soundPatience = 20_000

/** Over a broker in this process. */
export function memoryWorld(change?: Change): World {
  const broker = createMemoryBroker()
  return world({
    createSound: () => broker.createBackend(),
    change,
    subject: { patience: change === undefined ? soundPatience : 1_000 },
    breakLinks: () => {},
    close: async () => {},
  })
}

/** The backend of docs/write-a-backend.md, over TCP, through a proxy that breaks the way. */
export async function tcpWorld(change?: Change): Promise<World> {
  const { createBackend } = await importCode(changedCode(change))
  const broker = await startTcpBroker()
  const proxy = await startFaultProxy({ port: broker.port })
  const subject = {
    patience: change === undefined ? soundPatience : 3_000,
    outage: 500,
    subscriptions: async (channel: string) => broker.subscriptions(channel),
    interrupt: {
      cut: () => void proxy.cut(),
      freeze: () => proxy.freeze(),
      thaw: () => proxy.thaw(),
      async stop() {
        await proxy.refuse()
        await broker.stop()
        proxy.cut()
      },
      async start() {
        await broker.start()
        await proxy.accept()
      },
    },
  }
  return world({
    createSound: () => createBackend({ url: `tcp://127.0.0.1:${proxy.port}` }),
    change,
    subject,
    breakLinks() {
      proxy.cut()
      proxy.thaw()
    },
    async close() {
      await proxy.close()
      await broker.stop()
    },
  })
}

interface WorldParts {
  createSound(): Backend
  readonly change: Change | undefined
  readonly subject: Omit<CaseSubject, 'create'>
  breakLinks(): void
  close(): Promise<void>
}

function world({ createSound, change, subject, breakLinks, close }: WorldParts): World {
  const made: Backend[] = []
  return {
    ...subject,
    wrapClient: change !== undefined && 'client' in change ? change.client : undefined,
    create() {
      const sound = createSound()
      made.push(sound)
      return applyTo(sound, change)
    },
    async abandon() {
      breakLinks()
      await Promise.allSettled(made.map((backend) => backend.close()))
    },
    close,
  }
}
