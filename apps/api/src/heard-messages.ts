import { type EngineAnnouncement, isEngineId, isId, type Job, type JobResult, type JobState } from '@ps/jobs'

// Anyone who reaches the broker can publish: what is heard is checked before it is believed, and ids become file names.
const states: readonly JobState[] = ['queued', 'running', 'done', 'failed', 'cancelled', 'lost']
const maxTextLength = 1_000

type Fields = Readonly<Record<string, unknown>>

const isFields = (value: unknown): value is Fields => typeof value === 'object' && value !== null
const isText = (value: unknown): value is string => typeof value === 'string' && value.length <= maxTextLength
const isCount = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0
const isMissingOr = (check: (value: unknown) => boolean, value: unknown): boolean =>
  value === undefined || check(value)

const isResult = (value: unknown): value is JobResult =>
  isFields(value) && Array.isArray(value.columns) && Array.isArray(value.rejects)

/** Whether a message of the channel `jobs` is a job. */
export const isJob = (value: unknown): value is Job =>
  isFields(value) &&
  isId(value.id) &&
  states.includes(value.state as JobState) &&
  isEngineId(value.engine) &&
  [value.kind, value.name, value.createdAt].every(isText) &&
  [value.rows, value.rejected, value.bytes, value.revision].every(isCount) &&
  [value.startedAt, value.endedAt, value.error].every((text) => isMissingOr(isText, text)) &&
  isMissingOr(isCount, value.totalBytes) &&
  isMissingOr(isResult, value.result)

const jobMembers: readonly (keyof Job)[] = [
  'id',
  'kind',
  'state',
  'name',
  'engine',
  'createdAt',
  'startedAt',
  'endedAt',
  'rows',
  'rejected',
  'bytes',
  'totalBytes',
  'error',
  'revision',
]

/** What is kept of a job and shown to everyone: not its result, and nothing that a job does not have. */
export const withoutRest = (job: Job): Job =>
  Object.fromEntries(
    jobMembers.flatMap((member) => (job[member] === undefined ? [] : [[member, job[member]]])),
  ) as unknown as Job

/** Whether a message of the channel `engines` is an announcement. */
export const isAnnouncement = (value: unknown): value is EngineAnnouncement =>
  isFields(value) &&
  isEngineId(value.engine) &&
  [value.host, value.backend, value.startedAt].every(isText) &&
  [value.processId, value.capacity, value.running, value.queued].every(isCount)
