import type { Job } from '@ps/jobs'

/** Which jobs somebody wants to see. */
export interface JobFilter {
  readonly isOn: boolean
  matches(job: Pick<Job, 'state' | 'name'>): boolean
}

/** `state`: one, or `all`. `name`: a part of it, in letters of any case. */
export function createJobFilter(state: string, name: string): JobFilter {
  const wanted = name.trim().toLowerCase()
  return {
    isOn: state !== 'all' || wanted !== '',
    matches: (job) => (state === 'all' || job.state === state) && job.name.toLowerCase().includes(wanted),
  }
}
