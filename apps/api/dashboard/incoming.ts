import type { EngineAnnouncement, Job, JobState } from '@ps/jobs'

const states: readonly JobState[] = ['queued', 'running', 'done', 'failed', 'cancelled', 'lost']

/** A message of the channel `jobs`, if it is a job: whoever reaches the broker can send anything there. */
export function asJob(message: unknown): Job | undefined {
  const isJob =
    hasAll(
      message,
      ['id', 'state', 'name', 'engine', 'createdAt'],
      ['rows', 'rejected', 'bytes', 'revision'],
    ) &&
    states.some((state) => state === message['state']) &&
    (message['totalBytes'] === undefined || Number.isFinite(message['totalBytes']))
  return isJob ? (message as unknown as Job) : undefined
}

/** A message of the channel `engines`, if it is an announcement. */
export function asEngine(message: unknown): EngineAnnouncement | undefined {
  const isEngine = hasAll(
    message,
    ['engine', 'host', 'backend'],
    ['processId', 'capacity', 'running', 'queued'],
  )
  return isEngine ? (message as unknown as EngineAnnouncement) : undefined
}

function hasAll(
  message: unknown,
  texts: readonly string[],
  numbers: readonly string[],
): message is Readonly<Record<string, unknown>> {
  if (typeof message !== 'object' || message === null) return false
  const members = message as Readonly<Record<string, unknown>>
  return (
    texts.every((name) => typeof members[name] === 'string') &&
    // JSON has no infinity, but 1e999 is read as one.
    numbers.every((name) => Number.isFinite(members[name]))
  )
}
