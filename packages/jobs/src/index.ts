export type { ApiInbox, EngineInbox, JobChannels } from './channels.js'
export {
  apiInbox,
  engineInbox,
  enginesChannel,
  enginesInbox,
  isControlChannel,
  isReadOnlyChannel,
  jobsChannel,
} from './channels.js'
export { isEngineId, isId } from './ids.js'
export type { Column, Frequent, Job, JobResult, JobState, RejectedRow } from './job.js'
export { isEnded } from './job.js'
export type {
  ApiMessage,
  EngineAnnouncement,
  EngineMessage,
  EnginesMessage,
  JobAssignment,
  JobFormat,
  JobSource,
} from './messages.js'
export { queuedJob } from './queued-job.js'
export {
  isAllowedSource,
  isPublicAddress,
  lookupPublic,
  readAllowedSources,
  refuseSource,
  refuseSourceUrl,
} from './source-address.js'
