import type { Job } from './job.js'
import type { JobAssignment } from './messages.js'

/** A job as it is when an engine has taken it and not begun. */
export function queuedJob(
  { id, kind, name, createdAt, source }: JobAssignment,
  engine: string,
  revision: number,
): Job {
  return {
    id,
    kind,
    name,
    createdAt,
    engine,
    state: 'queued',
    rows: 0,
    rejected: 0,
    bytes: 0,
    revision,
    ...(source.size !== undefined && { totalBytes: source.size }),
  }
}
