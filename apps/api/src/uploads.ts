import { randomUUID } from 'node:crypto'
import { createReadStream, createWriteStream, type ReadStream } from 'node:fs'
import { mkdir, readdir, rename, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import type { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { withBodyDeadline } from './body-deadline.js'
import { fileSize } from './job-files.js'
import { Problem } from './problem.js'
import { createStoredBytes } from './stored-bytes.js'

/** How long a file is kept that no running job needs, in milliseconds: a day. */
const orphanTime = 24 * 60 * 60 * 1_000

/** A folder of files that came, or leave, over HTTP. */
export interface Uploads {
  /** Writes a body to disk as it comes, and gives its length; nothing is left where it breaks off or is too long. */
  receive(id: string, body: Readable): Promise<number>
  size(id: string): Promise<number | undefined>
  /** Bytes `start` to `end`, both included. */
  read(id: string, start?: number, end?: number): ReadStream
  remove(id: string): Promise<void>
  /** Throws a Problem where so many bytes more are too many. */
  checkRoom(bytes: number): void
  /** Removes what broke off, and what is older than a day unless it `isNeeded`. */
  sweep(isNeeded: (id: string) => boolean): Promise<void>
}

export interface UploadLimits {
  /** Of one file. */
  readonly maxUploadBytes: number
  /** Of all that is in the folder. */
  readonly maxStoredBytes: number
  /** How long a body may bring nothing before it is given up, in milliseconds. */
  readonly requestTimeout: number
}

export async function openUploads(
  folder: string,
  { maxUploadBytes, maxStoredBytes, requestTimeout }: UploadLimits,
): Promise<Uploads> {
  await mkdir(folder, { recursive: true, mode: 0o700 })
  const partial = '.part'
  const receiving = new Set<string>()
  const pathOf = (id: string): string => join(folder, id)
  const stored = createStoredBytes(maxStoredBytes)
  for (const name of await readdir(folder)) stored.set(name, (await stat(pathOf(name))).size)

  const discard = async (name: string): Promise<void> => {
    await rm(pathOf(name), { force: true })
    stored.forget(name)
  }

  /** Also where it has gone meanwhile. */
  const isOld = (name: string): Promise<boolean> =>
    stat(pathOf(name)).then(
      ({ mtimeMs }) => Date.now() - mtimeMs > orphanTime,
      () => true,
    )

  async function* bounded(body: Readable, name: string): AsyncGenerator<Buffer, void> {
    let bytes = 0
    for await (const chunk of body as AsyncIterable<Buffer>) {
      bytes += chunk.length
      if (bytes > maxUploadBytes) throw tooLong(maxUploadBytes)
      stored.checkRoom(chunk.length)
      stored.set(name, bytes)
      yield chunk
    }
  }

  return {
    async receive(id, body) {
      const name = `${id}.${randomUUID()}${partial}`
      const part = pathOf(name)
      receiving.add(name)
      try {
        const patient = withBodyDeadline(body, { timeout: requestTimeout, of: 'silence' })
        await pipeline(bounded(patient, name), createWriteStream(part, { mode: 0o600 }))
        await rename(part, pathOf(id))
        const { size } = await stat(pathOf(id))
        stored.forget(name)
        stored.set(id, size)
        return size
      } catch (error) {
        await discard(name)
        throw error
      } finally {
        receiving.delete(name)
      }
    },
    size: (id) => fileSize(pathOf(id)),
    read: (id, start = 0, end = Number.POSITIVE_INFINITY) => createReadStream(pathOf(id), { start, end }),
    remove: discard,
    checkRoom: stored.checkRoom,
    async sweep(isNeeded) {
      const names = await readdir(folder)
      for (const name of stored.names())
        if (!names.includes(name) && !receiving.has(name)) stored.forget(name)
      for (const name of names) {
        if (receiving.has(name)) continue
        if (name.endsWith(partial) || (!isNeeded(name) && (await isOld(name)))) await discard(name)
      }
    },
  }
}

export const tooLong = (maxBytes: number): Problem =>
  new Problem(
    413,
    `the body is longer than ${maxBytes} bytes, the limit of this server: see API_MAX_UPLOAD_BYTES`,
    {
      code: 'too_large',
    },
  )
