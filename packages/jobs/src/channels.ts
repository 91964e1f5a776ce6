import type { Job } from './job.js'
import type { ApiMessage, EngineAnnouncement, EngineMessage, EnginesMessage } from './messages.js'

/** Carries every {@link Job} whenever it changes: from the engines to everyone, and from an api that has lost one. */
export const jobsChannel = 'jobs'
/** Carries every {@link EngineAnnouncement}: from the engines to everyone. Nobody else may publish on it. */
export const enginesChannel = 'engines'

/** Heard by every engine: carries {@link EnginesMessage}. */
export const enginesInbox = 'control:engines'
/** Heard by one engine: carries {@link EngineMessage}. */
export const engineInbox = (engine: string): EngineInbox => `control:engine:${engine}`
/** Heard by one api: carries {@link ApiMessage}. */
export const apiInbox = (api: string): ApiInbox => `control:api:${api}`

export type EngineInbox = `control:engine:${string}`
export type ApiInbox = `control:api:${string}`

/** What travels on which channel. */
export interface JobChannels {
  [jobsChannel]: Job
  [enginesChannel]: EngineAnnouncement
  [enginesInbox]: EnginesMessage
  [inbox: EngineInbox]: EngineMessage
  [inbox: ApiInbox]: ApiMessage
}

/** Whether a channel is between engine and api only, so that nobody else may read or write it. */
export const isControlChannel = (channel: string): boolean =>
  channel.startsWith('control:') || channel.startsWith('$ps')
/** Whether a channel may be read by everyone and written by engines only. */
export const isReadOnlyChannel = (channel: string): boolean =>
  channel === jobsChannel || channel === enginesChannel
