export type {
  Backend,
  BackendEvents,
  BackendModule,
  BackendOptions,
  BackendState,
  ExamineOptions,
  Finding,
} from './backend.js'
export type {
  BackendHealth,
  ChannelMap,
  Client,
  ClientEvents,
  ClientState,
  Counts,
  Gap,
  Health,
  ListenOptions,
  MessagesOptions,
  OverflowPolicy,
  PublishOptions,
  RecoveryHealth,
  StateChange,
  Subscription,
} from './client.js'
export type { Environment, Settings } from './configuration.js'
export {
  type BackendLoader,
  type ClientOptions,
  createClient,
  getDefaultClient,
  type Plan,
  planClient,
} from './create-client.js'
export type { PubSubErrorCode, PubSubErrorDetails } from './errors.js'
export { describeError, isPubSubError, PubSubError } from './errors.js'
export { createInbox, type Inbox } from './inbox.js'
export type { Logger } from './logger.js'
export { silentLogger, standardErrorLogger } from './logger.js'
export { retryDelay } from './retry-delay.js'
export type {
  ChannelSchemas,
  InputsOf,
  OutputsOf,
  SchemaIssue,
  SchemaResult,
  StandardSchema,
} from './standard-schema.js'
export { publishBySending, type Send, type Settled } from './send.js'
export type { RunStatement, SqlTransaction } from './sql-transaction.js'
