import type { Job } from '@ps/jobs'
import { ApiError, problemText } from './api.js'

export interface UploadOptions {
  readonly onProgress: (sent: number, total: number) => void
  readonly signal: AbortSignal
}

/**
 * Sends a file as the body of `POST /v1/jobs` and gives the job that came of it. XMLHttpRequest, because `fetch` cannot
 * tell how much of a body has been sent.
 */
export function uploadFile(file: File, { onProgress, signal }: UploadOptions): Promise<Job> {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest()
    request.open('POST', `/v1/jobs?${new URLSearchParams({ name: file.name }).toString()}`)
    request.setRequestHeader('content-type', contentType(file.name))
    request.upload.addEventListener('progress', ({ loaded, total }) => onProgress(loaded, total))
    request.addEventListener('load', () => {
      if (request.status === 202) resolve(JSON.parse(request.responseText) as Job)
      else reject(new ApiError(problemText(request.responseText, request.status), request.status))
    })
    request.addEventListener('error', () => {
      reject(new ApiError('The upload broke off: the server or the file can no longer be reached.', 0))
    })
    request.addEventListener('abort', () => reject(new ApiError('Cancelled.', 0)))
    signal.addEventListener('abort', () => request.abort())
    request.send(file)
  })
}

/** CSV unless the name says otherwise; the engine says clearly where a file is neither. */
function contentType(name: string): string {
  return /\.(?:ndjson|jsonl)$/i.test(name) ? 'application/x-ndjson' : 'text/csv'
}
