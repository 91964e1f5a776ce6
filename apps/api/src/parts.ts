import type { Client } from '@ps/core'
import type { Logger } from 'pino'
import type { Sessions } from './access/sessions.js'
import type { Tickets } from './access/tickets.js'
import type { Assignments } from './assignments.js'
import type { Audiences } from './audiences.js'
import type { Cancellations } from './cancellations.js'
import type { Configuration } from './configuration.js'
import type { Engines } from './engines.js'
import type { Faults } from './faults.js'
import type { History } from './history.js'
import type { Jobs } from './jobs.js'
import type { Metrics } from './metrics.js'
import type { OpenStreams } from './open-streams.js'
import type { StreamList } from './stream-list.js'
import type { UrlSigner } from './signed-url.js'
import type { Uploads } from './uploads.js'

/** What the routes are made of. */
export interface Parts {
  readonly configuration: Configuration
  readonly log: Logger
  readonly client: Client
  /** Whether any broker is up. */
  readonly isConnected: () => boolean
  /** Whether we are about to stop. */
  readonly isDraining: () => boolean
  readonly history: History
  readonly audiences: Audiences
  readonly streams: OpenStreams
  readonly streamList: StreamList
  /** In development only. */
  readonly faults: Faults | undefined
  readonly engines: Engines
  readonly jobs: Jobs
  readonly assignments: Assignments
  readonly cancellations: Cancellations
  readonly uploads: Uploads
  readonly rejects: Uploads
  readonly signer: UrlSigner
  readonly sessions: Sessions
  readonly tickets: Tickets
  /** How engines reach this api. */
  readonly url: () => string
  readonly metrics: Metrics
}
