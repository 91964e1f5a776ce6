import { once } from 'node:events'
import { createReadStream, createWriteStream, type WriteStream } from 'node:fs'
import { mkdir, rm, stat } from 'node:fs/promises'
import { request } from 'node:http'
import { request as secureRequest } from 'node:https'
import { join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import type { RejectedRow } from '../job.js'

/** All rejected rows of one job, on disk while it runs. */
export interface RejectsFile {
  /** Resolves when more may be written. */
  write(row: RejectedRow): Promise<void> | undefined
  /** Sends the file to `url` by PUT; does nothing where no row was rejected. */
  send(url: string): Promise<void>
  remove(): Promise<void>
}

export function createRejectsFile(folder: string, id: string): RejectsFile {
  const path = join(folder, `${id}.rejects.ndjson`)
  let stream: WriteStream | undefined
  let failure: Error | undefined

  const open = async (): Promise<WriteStream> => {
    // Where there is no folder the file fails, and that is told like any other failure of it.
    await mkdir(folder, { recursive: true, mode: 0o700 }).catch(() => {})
    const opened = createWriteStream(path, { mode: 0o600 })
    opened.on('error', (error) => {
      failure = error
    })
    return opened
  }
  let opening: Promise<WriteStream> | undefined

  const writeLine = (to: WriteStream, row: RejectedRow): Promise<void> | undefined => {
    // A full disk loses the file of rejects, not the job.
    if (failure !== undefined || to.write(`${JSON.stringify(row)}\n`)) return undefined
    return Promise.race([once(to, 'drain'), once(to, 'close')]).then(
      () => undefined,
      () => undefined,
    )
  }

  return {
    write(row) {
      if (stream !== undefined) return writeLine(stream, row)
      opening ??= open()
      return opening.then((opened) => {
        stream = opened
        return writeLine(opened, row)
      })
    },
    async send(url) {
      if (stream === undefined) return
      stream.end()
      if (!stream.closed) await once(stream, 'close')
      if (failure !== undefined) throw failure
      const { size } = await stat(path)
      await put(new URL(url), path, size)
    },
    async remove() {
      stream?.destroy()
      // The job has its result by now. What is no folder holds no file, either.
      await rm(path, { force: true }).catch(() => {})
    },
  }
}

async function put(url: URL, path: string, size: number): Promise<void> {
  const send = url.protocol === 'https:' ? secureRequest : request
  const sent = send(url, {
    method: 'PUT',
    headers: { 'content-type': 'application/x-ndjson', 'content-length': size },
  })
  sent.setTimeout(30_000, () => sent.destroy(new Error('the api took nothing for 30 s')))
  const answered = once(sent, 'response') as Promise<[{ statusCode?: number; resume(): void }]>
  const [[response]] = await Promise.all([answered, pipeline(createReadStream(path), sent)])
  response.resume()
  if (response.statusCode === undefined || response.statusCode >= 300) {
    throw new Error(`the api answered ${response.statusCode}`)
  }
}
