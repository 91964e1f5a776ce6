import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Broker, startBrokers } from './brokers.js'
import { checkDeploying } from './check-deploying.js'
import { checkInstalling } from './check-installing.js'
import { checkNewcomer } from './check-newcomer.js'
import { checkPackages } from './check-packages.js'
import { checkPublishing, checkVersions } from './check-release.js'
import { checkTogether } from './check-together.js'
import { copyWorkspace } from './copy-workspace.js'
import { explainError } from './explain-error.js'
import { npm } from './installers/npm.js'
import { pnpm } from './installers/pnpm.js'
import { yarn } from './installers/yarn.js'
import { startLocalRegistry } from './local-registry.js'
import { createReport } from './report.js'

const report = createReport((line) => void process.stdout.write(`${line}\n`))
const folder = mkdtempSync(join(tmpdir(), 'ps-verify-'))
const registry = await startLocalRegistry(join(folder, 'registry'))
let brokers: Broker[] = []
try {
  report.section('A copy of the repository')
  const copy = join(folder, 'copy')
  mkdirSync(copy)
  await report.check('its dependencies are installed as the lockfile says, by the Dockerfile', () =>
    copyWorkspace(copy),
  )

  report.section('A release, on a registry of our own')
  const packages = await checkVersions(copy, report)
  await checkPublishing(copy, packages, registry, report)

  report.section('What is in the packages')
  await checkPackages(packages, join(folder, 'packed'), report)

  report.section('What was published, installed')
  brokers = await startBrokers()
  const versions = Object.fromEntries(packages.map(({ name, manifest }) => [name, manifest.version]))
  for (const manager of [npm, pnpm, yarn])
    await checkInstalling({ manager, brokers, versions, registry: registry.url, folder, report })

  await checkTogether({ packages, registry: registry.url, folder, report })

  report.section('What the README says to a newcomer, in an empty folder')
  await checkNewcomer({ copy, folder: join(folder, 'newcomer'), brokers, registry, report })

  report.section('What the Dockerfile and compose.yaml would run')
  await checkDeploying({ copy, brokers, folder: join(folder, 'images'), report })

  process.stdout.write(`\n${report.count} facts hold\n`)
} catch (error) {
  process.stderr.write(`error: ${explainError(error)}\n`)
  process.exitCode = 1
} finally {
  await Promise.all(brokers.map((broker) => broker.stop()))
  await registry.stop()
  rmSync(folder, { recursive: true, force: true })
}
