import { join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { assertCanBeReplaced } from './assert-can-be-replaced.js'
import { deployApp } from './deploy-app.js'
import { listChoices } from './list-choices.js'

const workspace = fileURLToPath(new URL('../../..', import.meta.url))

try {
  const { positionals, values } = parseArgs({ allowPositionals: true, options: { to: { type: 'string' } } })
  const [app, ...backends] = positionals
  const choices = listChoices(workspace)
  if (
    app === undefined ||
    !choices.apps.includes(app) ||
    backends.length === 0 ||
    backends.some((backend) => !choices.backends.includes(backend))
  ) {
    throw new Error(
      `use: pnpm deploy:app ${choices.apps.join('|')} ${choices.backends.join('|')} [--to folder]; ` +
        'with more than one backend, one can stand behind the other',
    )
  }
  const folder = resolve(values.to ?? join(workspace, '.data/deploy', [app, ...backends].join('-')))
  assertCanBeReplaced(folder, `@ps/${app}`)
  deployApp({ workspace, app, backends, folder })
  process.stdout.write(
    `${folder} holds @ps/${app} with ${backends.map((name) => `@ps/${name}`).join(' and ')}: node dist/main.js\n`,
  )
} catch (error) {
  process.stderr.write(`error: ${error instanceof Error ? error.message : String(error)}\n`)
  process.exitCode = 1
}
