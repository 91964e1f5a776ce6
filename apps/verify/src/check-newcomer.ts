import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Program, spawnProgram } from '@ps/services'
import type { Broker } from './brokers.js'
import { cleanEnvironment } from './clean-environment.js'
import type { LocalRegistry } from './local-registry.js'
import type { Report } from './report.js'
import { runCommand } from './run-command.js'

export interface NewcomerOptions {
  /** Of the repository. */
  readonly copy: string
  /** Where there is nothing yet. */
  readonly folder: string
  readonly brokers: readonly Broker[]
  readonly registry: LocalRegistry
  readonly report: Report
}

/** Does, in an empty folder, what the README says under "Use it": writes its files, and runs its commands in their order. */
export async function checkNewcomer({
  copy,
  folder,
  brokers,
  registry,
  report,
}: NewcomerOptions): Promise<void> {
  mkdirSync(folder, { recursive: true })
  const [, section = ''] = /^## Use it$(.*?)^## /ms.exec(readFileSync(join(copy, 'README.md'), 'utf8')) ?? []
  const addresses = Object.assign({}, ...brokers.map(({ environment }) => environment)) as Record<
    string,
    string
  >
  // What a person would have exported so far, with addresses of their own.
  const environment: Record<string, string> = { ...registry.environment, npm_config_yes: 'true' }
  let listener: Program | undefined
  let doneCommands = 0

  const run = async (command: string): Promise<void> => {
    doneCommands += 1
    const [, assignments] = /^export (.+)$/.exec(command) ?? []
    if (assignments !== undefined) {
      for (const [, name = ''] of assignments.matchAll(/\b([A-Z_]+)=/g))
        environment[name] = addresses[name] ?? ''
      return
    }
    if (command === 'node listen.mjs') {
      await listener?.stop()
      const started = spawnProgram(join(folder, 'listen.mjs'), [], {
        environment: { ...cleanEnvironment(process.env), ...environment },
        workingDirectory: folder,
      })
      listener = started
      return void (await started.waitForOutput(/^listening$/m))
    }
    const { stdout } = await runCommand('bash', ['-c', command], { folder, environment })
    if (command !== 'node publish.mjs') return
    if (stdout !== 'accepted true\n') throw new Error(`publish.mjs said: ${stdout}`)
    await listener?.waitForOutput(/^heard \{ id: 7, state: 'done' \}$/m)
  }

  try {
    for (const [, name, javascript, commands = ''] of section.matchAll(
      /^`([\w.]+)`:\n\n```js\n(.*?)^```$|^```sh\n(.*?)^```$/gms,
    )) {
      if (name !== undefined) writeFileSync(join(folder, name), javascript ?? '')
      const lines = commands.trim().split('\n').filter(Boolean)
      for (const line of lines) await report.check(`a newcomer: ${line}`, () => run(line))
    }
  } finally {
    await listener?.stop()
  }
  if (doneCommands < 8) throw new Error(`the README has only ${doneCommands} commands under "Use it"`)
}
