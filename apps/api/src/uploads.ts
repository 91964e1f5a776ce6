import { randomUUID } from 'node:crypto'
import { createReadStream, createWriteStream, type ReadStream } from 'node:fs'
import { mkdir, readdir, rename, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import type { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { fileSize } from './job-files.js'
import { Problem } from './problem.js'

/** How long a body may bring nothing before it is given up, in milliseconds. */
const idleTimeout = 60_000
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
  /** Removes what broke off, and what is older than a day unless it `isNeeded`. */
  sweep(isNeeded: (id: string) => boolean): Promise<void>
}

export async function openUploads(folder: string, maxBytes: number): Promise<Uploads> {
  await mkdir(folder, { recursive: true, mode: 0o700 })
  const partial = '.part'
  const receiving = new Set<string>()
  const pathOf = (id: string): string => join(folder, id)

  async function* bounded(body: Readable): AsyncGenerator<Buffer, void> {
    let bytes = 0
    const timer = setTimeout(
      () => body.destroy(new Problem(408, `nothing came for ${idleTimeout / 1_000} s`)),
      idleTimeout,
    )
    try {
      // Not destroyed on a refusal: the answer goes over the same connection.
      for await (const chunk of body.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
        timer.refresh()
        bytes += chunk.length
        if (bytes > maxBytes) throw tooLong(maxBytes)
        yield chunk
      }
    } finally {
      clearTimeout(timer)
    }
  }

  return {
    async receive(id, body) {
      const path = pathOf(id)
      const name = `${id}.${randomUUID()}${partial}`
      const part = pathOf(name)
      receiving.add(name)
      try {
        await pipeline(bounded(body), createWriteStream(part, { mode: 0o600 }))
        await rename(part, path)
        return (await stat(path)).size
      } catch (error) {
        await rm(part, { force: true })
        throw error
      } finally {
        receiving.delete(name)
      }
    },
    size: (id) => fileSize(pathOf(id)),
    read: (id, start = 0, end = Number.POSITIVE_INFINITY) => createReadStream(pathOf(id), { start, end }),
    remove: (id) => rm(pathOf(id), { force: true }),
    async sweep(isNeeded) {
      for (const name of await readdir(folder)) {
        if (receiving.has(name)) continue
        const path = pathOf(name)
        const isOld = async (): Promise<boolean> => Date.now() - (await stat(path)).mtimeMs > orphanTime
        if (name.endsWith(partial) || (!isNeeded(name) && (await isOld()))) await rm(path, { force: true })
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
