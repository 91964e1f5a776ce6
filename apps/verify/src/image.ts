import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { type Program, spawnProgram } from '@ps/services'
import type { Dockerfile } from './dockerfile.js'
import { runCommand } from './run-command.js'

/** What an image would hold and do, in a folder. */
export interface Image {
  /** What would be `/app`. */
  readonly folder: string
  /** Starts what the image would, with the environment of the image and this one. */
  start(environment: Readonly<Record<string, string>>): Program
  /** Does what the image says how to learn whether it is well. */
  checkHealth(environment: Readonly<Record<string, string>>): Promise<void>
}

export interface ImageOptions {
  readonly app: string
  readonly backends: readonly string[]
  /** A copy of the repository. */
  readonly copy: string
  readonly dockerfile: Dockerfile
  readonly folder: string
}

/** Runs the RUN lines of the Dockerfile that are about one app, with another folder than `/app` and `/data`. */
export async function buildImage({ app, backends, copy, dockerfile, folder }: ImageOptions): Promise<Image> {
  const application = join(folder, 'app')
  const data = join(folder, 'data')
  mkdirSync(data, { recursive: true })
  for (const command of dockerfile.appCommands) {
    await runCommand('sh', ['-c', command.replace(/ \/app$/, ` ${application}`)], {
      folder: copy,
      environment: { APP: app, BACKEND: backends.join(' ') },
    })
  }
  const environmentOf = (given: Readonly<Record<string, string>>): Record<string, string> => ({
    ...Object.fromEntries(
      Object.entries(dockerfile.environment).map(([name, value]) => [name, value.replace(/^\/data/, data)]),
    ),
    ...given,
  })
  return {
    folder: application,
    start(environment) {
      const [program, ...given] = dockerfile.command
      const [file = '', ...rest] = given
      if (program !== 'node') throw new Error('the CMD of the Dockerfile does not begin with node')
      return spawnProgram(join(application, file), rest, {
        environment: environmentOf(environment),
        workingDirectory: application,
      })
    },
    async checkHealth(environment) {
      const [program = '', ...given] = dockerfile.healthCheck
      await runCommand(program, given, { folder: application, environment: environmentOf(environment) })
    },
  }
}
