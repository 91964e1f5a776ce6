import { randomUUID } from 'node:crypto'
import { copyFileSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import type { Broker } from './brokers.js'
import { npm } from './installers/npm.js'
import type { PackageManager, Project } from './installers/package-manager.js'
import type { Report } from './report.js'
import { runCommand } from './run-command.js'

export interface InstallingOptions {
  readonly manager: PackageManager
  readonly brokers: readonly Broker[]
  /** Name and version of every package. */
  readonly versions: Readonly<Record<string, string>>
  readonly registry: string
  readonly folder: string
  readonly report: Report
}

const tools = { typescript: '^5.9.0', '@types/node': '^20.19.0', esbuild: '^0.27.0' }

/** Installs the packages with one package manager as three people would: with one backend, with the other, with none. */
export async function checkInstalling(options: InstallingOptions): Promise<void> {
  const { manager, brokers, report } = options
  for (const broker of brokers) {
    const others = brokers.filter((each) => each !== broker)
    const project = await report.check(
      `${manager.name}: @ps/core, @ps/${broker.name} and @ps/cli are installed`,
      () => install(options, broker.name, ['@ps/core', `@ps/${broker.name}`, '@ps/cli'], tools),
    )
    for (const { name, driver } of others) {
      for (const absent of [driver, `@ps/${name}`])
        if (project.has(absent)) throw new Error(`${absent} was installed, too`)
    }
    if (!project.has(broker.driver)) throw new Error(`${broker.driver} was not installed`)
    report.holds(`${manager.name}: of the drivers, there is ${broker.driver} alone`)
    await checkPrograms(project, broker, options)
    // A bundler reads the same files, whoever has installed them.
    if (manager === npm) await checkBundles(project, broker, options)
  }
  await checkWithoutBackend(options)
}

function install(
  { manager, versions, registry, folder }: InstallingOptions,
  name: string,
  packages: readonly string[],
  others: Readonly<Record<string, string>> = {},
): Promise<Project> {
  const dependencies = Object.fromEntries(packages.map((each) => [each, `^${versions[each] ?? ''}`]))
  return manager.install({
    folder: join(folder, `${manager.name}-${name}`),
    dependencies: { ...dependencies, ...others },
    registry,
  })
}

/** In a world of its own: nobody else on the broker hears it. */
const environmentOf = (broker: Broker): Record<string, string> => ({
  ...broker.environment,
  PUBSUB_PREFIX: `${randomUUID()}:`,
})

const assertTalk = (output: string, broker: Broker): void => {
  if (!output.includes(`accepted, heard world over ${broker.name}`)) throw new Error(`it said: ${output}`)
}

async function checkPrograms(
  project: Project,
  broker: Broker,
  { manager, report }: InstallingOptions,
): Promise<void> {
  const talk = async (file: string): Promise<void> =>
    assertTalk((await project.run(file, { environment: environmentOf(broker) })).stdout, broker)
  const about = `${manager.name}, ${broker.name}`
  await report.check(`${about}: a TypeScript program is right for tsc, and finds its backend`, async () => {
    const settings =
      '--module nodenext --target es2023 --lib es2023,esnext.disposable --strict --types node ' +
      '--skipLibCheck false --skipDefaultLibCheck --outDir compiled'
    await project.runProgram('tsc', [...settings.split(' '), 'talk.ts'])
    await talk('compiled/talk.js')
  })
  const [how, file] = manager.canRequireModules
    ? (['requires', 'talk.cjs'] as const)
    : (['imports', 'talk-import.cjs'] as const)
  await report.check(`${about}: a CommonJS program that ${how} it finds its backend`, () => talk(file))
  await report.check(`${about}: pubsub doctor is content`, async () => {
    const { stdout } = await project.runProgram('pubsub', ['doctor'], { environment: environmentOf(broker) })
    if (!stdout.includes(broker.name)) throw new Error(`it said: ${stdout}`)
  })
}

async function checkBundles(
  project: Project,
  broker: Broker,
  { manager, folder, report }: InstallingOptions,
): Promise<void> {
  const about = `${manager.name}, ${broker.name}`
  // Where no package can be found.
  const alone = join(folder, `${manager.name}-${broker.name}-alone`)
  mkdirSync(alone, { recursive: true })
  const bundle = async (name: string): Promise<string> => {
    await project.runProgram('esbuild', [
      `${name}.mjs`,
      `--outfile=bundles/${name}.mjs`,
      '--bundle',
      '--platform=node',
      '--format=esm',
      '--log-level=warning',
      // ioredis is CommonJS, and requires modules of Node.
      "--banner:js=import { createRequire as forBundle } from 'node:module'; const require = forBundle(import.meta.url)",
    ])
    copyFileSync(join(project.folder, `bundles/${name}.mjs`), join(alone, `${name}.mjs`))
    return `${name}.mjs`
  }
  const run = async (file: string) =>
    runCommand(process.execPath, [file], {
      folder: alone,
      environment: environmentOf(broker),
      mayFail: true,
    })
  await report.check(`${about}: bundled by esbuild without \`backends\`, it says to pass them`, async () => {
    const { code, stderr } = await run(await bundle('talk'))
    if (code === 0 || !stderr.includes(`backends: { ${broker.name}: () => import('@ps/${broker.name}') }`))
      throw new Error(`exit code ${code}: ${stderr}`)
  })
  await report.check(`${about}: bundled with \`backends\`, one file runs by itself`, async () => {
    const { code, stdout, stderr } = await run(await bundle(`bundled-${broker.name}`))
    if (code !== 0) throw new Error(stderr)
    assertTalk(stdout, broker)
  })
}

async function checkWithoutBackend(options: InstallingOptions): Promise<void> {
  const { manager, brokers, report } = options
  await report.check(`${manager.name}: with @ps/core alone, it says what to install`, async () => {
    const project = await install(options, 'none', ['@ps/core'])
    for (const broker of brokers) {
      const { code, stderr } = await project.run('talk.mjs', {
        environment: environmentOf(broker),
        mayFail: true,
      })
      if (code === 0 || !stderr.includes(`npm install @ps/${broker.name}`))
        throw new Error(`exit code ${code}: ${stderr}`)
      if (project.has(broker.driver)) throw new Error(`${broker.driver} was installed`)
    }
  })
}
