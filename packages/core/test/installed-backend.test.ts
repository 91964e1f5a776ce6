import { execFile } from 'node:child_process'
import { mkdir, mkdtemp, realpath, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

const run = promisify(execFile)

/** A program with `@ps/redis` beside it, installed as pnpm does: a link into a folder of its own. */
let root = ''
let program = ''
let elsewhere = ''

beforeAll(async () => {
  root = await realpath(await mkdtemp(join(tmpdir(), 'installed-backend-')))
  program = join(root, 'program')
  elsewhere = join(root, 'elsewhere')
  const stored = join(root, 'store', 'redis@1.0.0', 'node_modules', '@ps', 'redis')
  await mkdir(stored, { recursive: true })
  await mkdir(elsewhere)
  await mkdir(join(program, 'node_modules', '@ps'), { recursive: true })
  await symlink(stored, join(program, 'node_modules', '@ps', 'redis'))
  await writeFile(join(stored, 'package.json'), '{"name":"@ps/redis","type":"module","exports":"./index.js"}')
  await writeFile(join(stored, 'index.js'), 'export const createBackend = () => {}')
  await writeFile(join(program, 'package.json'), '{"type":"commonjs","main":"main.js"}')
  const core = new URL('../dist/index.js', import.meta.url).href
  await writeFile(
    join(program, 'main.js'),
    `import(${JSON.stringify(core)}).then(({ planClient }) => {
       try {
         console.log(planClient({ environment: { PUBSUB_BACKEND: 'redis' } }).backends.join())
       } catch (error) {
         console.log(error.code, error.message)
       }
     })`,
  )
  await symlink(join(program, 'main.js'), join(elsewhere, 'command'))
})

afterAll(() => rm(root, { recursive: true, force: true }))

const output = async (cwd: string, ...args: string[]): Promise<string> => {
  // Whatever starts the tests may make packages visible everywhere.
  const { NODE_PATH: _, ...env } = process.env
  return (await run(process.execPath, args, { cwd, env })).stdout.trim()
}

describe('an installed backend is found from the folder of the program', () => {
  it.each([
    ['started by its file', () => join(program, 'main.js')],
    ['started without the extension', () => join(program, 'main')],
    ['started by its folder', () => program],
    ['started through a link', () => join(elsewhere, 'command')],
  ])('%s', async (_, argument) => {
    expect(await output(elsewhere, argument())).toBe('redis')
  })
})

it('an installed backend is found from the working directory where there is no program file', async () => {
  const code = `require(${JSON.stringify(join('..', 'program', 'main.js'))})`
  expect(await output(program, '-e', code)).toBe('redis')
})

it('a backend that is not installed is an error that lists both places', async () => {
  await writeFile(join(elsewhere, 'other.js'), `require(${JSON.stringify(join(program, 'main.js'))})`)
  expect(await output(root, join(elsewhere, 'other.js'))).toMatch(
    new RegExp(`^backend_missing .*looked in ${elsewhere} and ${root}$`),
  )
})
