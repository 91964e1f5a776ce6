import { readFileSync } from 'node:fs'
import { join } from 'node:path'

/** What the Dockerfile does, as far as it can be done without Docker. */
export interface Dockerfile {
  /** The RUN lines of the first stage that are the same for every app, for a shell. */
  readonly commonCommands: readonly string[]
  /** Those that name what is built, as `$APP` and `$BACKEND`. */
  readonly appCommands: readonly string[]
  /** What the image sets. */
  readonly environment: Readonly<Record<string, string>>
  /** Who runs it. */
  readonly user: string | undefined
  readonly command: readonly string[]
  readonly healthCheck: readonly string[]
}

export function readDockerfile(workspace: string): Dockerfile {
  const lines = readFileSync(join(workspace, 'Dockerfile'), 'utf8')
    .replaceAll(/\\\n\s*/g, '')
    .split('\n')
    .filter((line) => line.trim() !== '' && !line.startsWith('#'))
  const stages: string[][] = []
  for (const line of lines) {
    if (line.startsWith('FROM ')) stages.push([])
    stages.at(-1)?.push(line)
  }
  const [build = [], final = []] = [stages[0], stages.at(-1)]
  const after = (stage: readonly string[], word: string): string[] =>
    stage.filter((line) => line.startsWith(`${word} `)).map((line) => line.slice(word.length + 1).trim())
  const asList = (text: string | undefined): string[] =>
    JSON.parse(text?.replace(/^.*?\[/, '[') ?? '[]') as string[]
  return {
    commonCommands: after(build, 'RUN').filter((command) => !command.includes('$')),
    appCommands: after(build, 'RUN').filter((command) => command.includes('$')),
    environment: Object.fromEntries(
      after(final, 'ENV').map((line) => {
        const [name = '', ...value] = line.split('=')
        return [name, value.join('=')]
      }),
    ),
    user: after(final, 'USER').at(-1),
    command: asList(after(final, 'CMD').at(-1)),
    healthCheck: asList(after(final, 'HEALTHCHECK').at(-1)),
  }
}
