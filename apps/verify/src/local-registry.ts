import type { Server } from 'node:http'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { runServer } from 'verdaccio'

/** An npm registry on this machine that has only what is published on it. */
export interface LocalRegistry {
  readonly url: string
  /** What makes npm and pnpm publish `@ps/*` on it, and take it from there. */
  readonly environment: Readonly<Record<string, string>>
  stop(): Promise<void>
}

export async function startLocalRegistry(folder: string): Promise<LocalRegistry> {
  mkdirSync(folder, { recursive: true })
  const application: Server = await runServer({
    storage: join(folder, 'storage'),
    self_path: folder,
    uplinks: {},
    packages: { '@ps/*': { access: '$all', publish: '$all' } },
    web: { enable: false },
    log: { type: 'stdout', format: 'pretty', level: 'fatal' },
  })
  const server = await new Promise<Server>((resolve, reject) => {
    const opened = application.listen(0, '127.0.0.1', () => resolve(opened))
    opened.on('error', reject)
  })
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('the registry has no port')
  const url = `http://127.0.0.1:${address.port}/`
  const userConfiguration = join(folder, 'npmrc')
  // npm does not publish without a token, whatever the registry wants.
  writeFileSync(userConfiguration, `@ps:registry=${url}\n//127.0.0.1:${address.port}/:_authToken=anybody\n`)
  return {
    url,
    environment: {
      npm_config_userconfig: userConfiguration,
      // Changesets asks here where a package may be published already.
      'npm_config_@ps:registry': url,
    },
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}
