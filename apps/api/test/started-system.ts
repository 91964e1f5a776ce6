import { chmodSync, cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { freePort } from '@ps/services'
import { spawnProgram, waitFor } from '@ps/services/vitest'

/** What `pnpm start` runs, with Redis chosen. */
export interface StartedSystem {
  readonly address: string
  startJob(name: string, url: string): Promise<void>
  /** What `kill -9` of its process does. */
  killRedis(): void
  restartRedis(): void
  stop(): Promise<void>
}

const workspace = fileURLToPath(new URL('../../..', import.meta.url))

/** Runs it with a data folder of its own, because the developer's may be in use. */
export async function startSystem(): Promise<StartedSystem> {
  const root = mkdtempSync(join(tmpdir(), 'started-system-'))
  // Open to all: as root PostgreSQL runs as another user.
  chmodSync(root, 0o755)
  const services = join(root, 'packages/services')
  // It keeps its data beside itself, so it is copied; the rest is found where it is.
  cpSync(join(workspace, 'packages/services/dist'), join(services, 'dist'), { recursive: true })
  writeFileSync(join(services, 'package.json'), '{"type":"module"}')
  symlinkSync(join(workspace, 'packages/services/node_modules'), join(services, 'node_modules'))
  mkdirSync(join(root, 'apps'))
  for (const app of ['api', 'engine']) symlinkSync(join(workspace, 'apps', app), join(root, 'apps', app))

  const program = spawnProgram(join(services, 'dist/start.js'), [], {
    environment: {
      PORT: String(await freePort()),
      PUBSUB_BACKEND: 'redis',
      JOB_SOURCE_ALLOW: '127.0.0.1',
    },
  })
  const stop = async (): Promise<void> => {
    await program.stop()
    rmSync(root, { recursive: true, force: true })
  }
  try {
    const [, address = ''] = await program.waitForOutput(/is running at (\S+)/, 60_000)
    await waitFor(async () => (await (await fetch(`${address}/v1/engines`)).text()) !== '[]', {
      what: 'the engine',
    })
    return {
      address,
      async startJob(name, url) {
        const response = await fetch(`${address}/v1/jobs`, {
          method: 'POST',
          headers: { 'content-type': 'application/json' },
          body: JSON.stringify({ kind: 'profile', name, format: 'csv', source: { url } }),
        })
        if (!response.ok) throw new Error(`${response.status} ${await response.text()}`)
      },
      killRedis() {
        const [, processId] = [...program.stdout().matchAll(/^redis is process (\d+):/gm)].at(-1) ?? []
        process.kill(Number(processId), 'SIGKILL')
      },
      restartRedis: () => void program.process.kill('SIGUSR2'),
      stop,
    }
  } catch (error) {
    await stop()
    throw error
  }
}
