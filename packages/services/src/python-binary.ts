import { execFile } from 'node:child_process'
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { debianVersion, hasDebianPackages, unpackDebianPackages } from './debian-packages.js'
import { libpqLibraries } from './libpq-libraries.js'
import { onPath } from './on-path.js'

const run = promisify(execFile)

/** How to run Python with the modules `redis` and `psycopg2`. */
export interface PythonBinary {
  readonly file: string
  readonly environment: NodeJS.ProcessEnv
  /** Of Python and the two modules, for people. */
  readonly versions: string
}

const askVersions = `
import platform, psycopg2, redis
libpq = psycopg2.extensions.libpq_version()
print(f"Python {platform.python_version()}, redis-py {redis.__version__}, "
      f"psycopg2 {psycopg2.__version__.split()[0]} with libpq {libpq // 10000}.{libpq % 10000}")
`

/** Finds a Python that has both modules: on the PATH, else unpacked from the packages of Debian or Ubuntu. Gives the reason where there is none. */
export async function findPython(): Promise<PythonBinary | { reason: string }> {
  const file = onPath('python3')
  if (file !== undefined) {
    const versions = await versionsOf(file, process.env).catch(() => undefined)
    if (versions !== undefined) return { file, environment: process.env, versions }
  }
  const without = 'no python3 with the modules redis and psycopg2 is on the PATH'
  if (!hasDebianPackages()) {
    return { reason: `${without}, and this is not Debian or Ubuntu: install them` }
  }
  try {
    return await unpack()
  } catch (error) {
    const because = error instanceof Error ? error.message : String(error)
    return { reason: `${without}, and their packages cannot be had (${because}): install them` }
  }
}

const versionsOf = async (file: string, env: NodeJS.ProcessEnv): Promise<string> =>
  (await run(file, ['-c', askVersions], { env })).stdout.trim()

async function unpack(): Promise<PythonBinary> {
  const { folder, environment: found } = await unpackDebianPackages({
    name: 'python',
    // With its own interpreter: a compiled module works with that one only.
    async required() {
      const [version = ''] = /^\d+\.\d+/.exec(await debianVersion('python3-minimal')) ?? []
      return [
        `python${version}-minimal`,
        `libpython${version}-minimal`,
        `libpython${version}-stdlib`,
        'python3-psycopg2',
        'libpq5',
        'python3-redis',
      ]
    },
    optional: [
      ...['async-timeout', 'deprecated', 'wrapt', 'packaging', 'typing-extensions'].map(
        (module) => `python3-${module}`,
      ),
      'libexpat1',
      'libffi8',
      ...libpqLibraries,
    ],
  })
  const programs = join(folder, 'usr/bin')
  const name = readdirSync(programs).find((entry) => /^python3\.\d+$/.test(entry))
  if (name === undefined) throw new Error('there is no python3 in its packages')
  const file = join(programs, name)
  const environment = {
    ...found,
    PYTHONHOME: join(folder, 'usr'),
    PYTHONPATH: join(folder, 'usr/lib/python3/dist-packages'),
  }
  return { file, environment, versions: await versionsOf(file, environment) }
}
