import { mkdir, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Job, JobFormat, JobResult } from '@ps/jobs'

/** A file that a user gave us, as long as a job may need it. */
export interface Upload {
  readonly id: string
  readonly format: JobFormat
  /** In bytes. */
  readonly size: number
}

/** What is kept of a job. */
export interface JobRecord {
  /** Without its result, which has a file of its own. */
  readonly job: Job
  /** Whether this api gave it to its engine, and so is the one to say that it is lost. */
  readonly isOurs: boolean
  readonly upload?: Upload
}

/** Jobs on disk, so that a restart forgets none. */
export interface JobFiles {
  load(): Promise<JobRecord[]>
  save(record: JobRecord, result?: JobResult): Promise<void>
  result(id: string): Promise<JobResult | undefined>
  remove(id: string): Promise<void>
}

export async function openJobFiles(folder: string): Promise<JobFiles> {
  const records = join(folder, 'jobs')
  const results = join(folder, 'results')
  await mkdir(records, { recursive: true, mode: 0o700 })
  await mkdir(results, { recursive: true, mode: 0o700 })
  let last: Promise<unknown> = Promise.resolve()

  /** One after another: what is saved last stays. */
  const inTurn = <Value>(work: () => Promise<Value>): Promise<Value> => {
    const done = last.then(work)
    last = done.catch(() => {})
    return done
  }

  const write = async (file: string, content: unknown): Promise<void> => {
    // A crash leaves the old file or the new one, never half of it.
    await writeFile(`${file}.new`, JSON.stringify(content), { mode: 0o600 })
    await rename(`${file}.new`, file)
  }

  const read = async (file: string): Promise<unknown> => {
    try {
      return JSON.parse(await readFile(file, 'utf8'))
    } catch {
      return undefined
    }
  }

  return {
    async load() {
      const found: JobRecord[] = []
      for (const name of await readdir(records)) {
        const record = name.endsWith('.json') ? await read(join(records, name)) : undefined
        if (isRecord(record)) found.push(record)
        else await rm(join(records, name), { force: true })
      }
      return found
    },
    save: (record, result) =>
      inTurn(async () => {
        const name = `${record.job.id}.json`
        if (result !== undefined) await write(join(results, name), result)
        await write(join(records, name), record)
      }),
    result: async (id) => (await read(join(results, `${id}.json`))) as JobResult | undefined,
    remove: (id) =>
      inTurn(async () => {
        for (const kind of [records, results]) await rm(join(kind, `${id}.json`), { force: true })
      }),
  }
}

const isRecord = (value: unknown): value is JobRecord =>
  typeof value === 'object' &&
  value !== null &&
  'job' in value &&
  typeof value.job === 'object' &&
  value.job !== null &&
  'id' in value.job

/** The length of a file; undefined where there is none. */
export async function fileSize(path: string): Promise<number | undefined> {
  try {
    return (await stat(path)).size
  } catch {
    return undefined
  }
}
