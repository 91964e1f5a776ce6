import { randomUUID } from 'node:crypto'
import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { freePort } from '@ps/services'
import { waitFor } from '@ps/services'
import type { Broker } from './brokers.js'
import { readComposeEnvironment } from './compose.js'
import { readDockerfile } from './dockerfile.js'
import { buildImage, type Image } from './image.js'
import { holdsPackage } from './installers/modules-folder.js'
import type { Report } from './report.js'
import { runJob } from './run-job.js'

export interface DeployingOptions {
  /** A copy of the repository. */
  readonly copy: string
  readonly brokers: readonly Broker[]
  readonly folder: string
  readonly report: Report
}

/** Builds what the Dockerfile would, and runs it as compose.yaml would: over one broker, over the other, over both. */
export async function checkDeploying(options: DeployingOptions): Promise<void> {
  const { brokers, copy, report } = options
  const { user } = readDockerfile(copy)
  if (user === undefined || /^(root|0)\b/.test(user)) throw new Error('the image would run as root')
  report.holds(`the image runs as ${user}`)
  const [postgres, redis] = ['postgres', 'redis'].map((name) => brokers.filter((each) => each.name === name))
  for (const chosen of [postgres, redis, [...(redis ?? []), ...(postgres ?? [])]]) {
    if (chosen !== undefined) await checkSystem(chosen, options)
  }
  if (postgres !== undefined) await checkAgain('api', postgres, options)
}

/** One api and one engine, with these brokers, the first choice first. */
async function checkSystem(chosen: readonly Broker[], options: DeployingOptions): Promise<void> {
  const { report } = options
  const names = chosen.map(({ name }) => name)
  const about = names.join(' and ')
  const images = {
    api: await checkImage('api', chosen, options),
    engine: await checkImage('engine', chosen, options),
  }
  const port = String(await freePort())
  const token = randomUUID()
  const environment = (service: string): Record<string, string> => {
    const found = readComposeEnvironment(options.copy, service, {
      PUBSUB_BACKEND: names[0] ?? '',
      POSTGRES_PASSWORD: 'secret',
      API_TOKEN: token,
    })
    const world = { PORT: port, PUBSUB_PREFIX: `${about}:` }
    for (const { name, url } of options.brokers) {
      const variable = name === 'redis' ? 'REDIS_URL' : 'DATABASE_URL'
      if (found[variable] === undefined) throw new Error(`compose.yaml does not give ${service} ${variable}`)
      // With one broker alone nothing leads to the other.
      found[variable] = names.includes(name) ? url : ''
    }
    if (found.API_URL !== undefined) found.API_URL = found.API_URL.replace(/api:3000$/, `127.0.0.1:${port}`)
    return { ...found, ...world }
  }

  const api = images.api.start(environment('api'))
  const engine = images.engine.start(environment('engine'))
  try {
    await report.check(`${about}: the api is ready, and the engine; their health checks agree`, async () => {
      await waitFor(async () => (await fetch(`http://127.0.0.1:${port}/readyz`)).status === 200, {
        timeout: 30_000,
        what: `the api to be ready:\n${api.stdout()}${api.stderr()}`,
      })
      await images.api.checkHealth(environment('api'))
      // Its health check asks once, and the engine may be slower than the api to begin.
      await waitFor(() => images.engine.checkHealth(environment('engine')).then(() => true), {
        timeout: 30_000,
        what: `the engine to be well:\n${engine.stdout()}${engine.stderr()}`,
      })
    })
    await report.check(`${about}: a file goes through the api and the engine`, () =>
      runJob(`http://127.0.0.1:${port}`, token),
    )
    await report.check(`${about}: both end by themselves when they are told to`, async () => {
      for (const program of [api, engine]) {
        const { code } = await program.stop()
        if (code !== 0) throw new Error(`exit code ${code}:\n${program.stdout()}${program.stderr()}`)
      }
    })
  } catch (cause) {
    throw new Error(`the api said:\n${api.stdout()}${api.stderr()}\nthe engine said:\n${engine.stdout()}`, {
      cause,
    })
  } finally {
    await Promise.all([api, engine].map((program) => program.stop('SIGKILL')))
  }
}

/** Deploys what has been deployed before, into the same folder. */
async function checkAgain(app: string, chosen: readonly Broker[], options: DeployingOptions): Promise<void> {
  // Where an app that is started in its folder keeps what it stores.
  const stored = join(imageFolder(app, chosen, options), 'app/.data', app, 'stored')
  mkdirSync(dirname(stored), { recursive: true })
  writeFileSync(stored, '')
  await checkImage(app, chosen, options)
  if (!existsSync(stored)) throw new Error(`what ${app} had stored went with its earlier deployment`)
  options.report.holds(`${app} deployed again: what it had stored is still there`)
}

const imageFolder = (app: string, chosen: readonly Broker[], { folder }: DeployingOptions): string =>
  join(folder, [app, ...chosen.map(({ name }) => name)].join('-'))

function checkImage(app: string, chosen: readonly Broker[], options: DeployingOptions): Promise<Image> {
  const { brokers, copy, report } = options
  const names = chosen.map(({ name }) => name)
  return report.check(
    `${app} with ${names.join(' and ')}: a folder with these drivers and no other`,
    async () => {
      const image = await buildImage({
        app,
        backends: names,
        copy,
        dockerfile: readDockerfile(copy),
        folder: imageFolder(app, chosen, options),
      })
      for (const { name, driver } of brokers) {
        for (const wanted of [driver, `@ps/${name}`])
          if (holdsPackage(join(image.folder, 'node_modules'), wanted) !== names.includes(name))
            throw new Error(names.includes(name) ? `${wanted} is missing` : `${wanted} is there`)
      }
      return image
    },
  )
}
