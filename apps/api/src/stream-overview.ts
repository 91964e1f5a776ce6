/** What `GET /v1/streams` says of one stream. */
export interface ListedStream {
  /** As its `ps.hello` said it. */
  readonly id: string
  readonly since: string
  /** The first five. */
  readonly channels: readonly string[]
  readonly channelCount: number
  readonly subject?: string
  /** Frames that were given to it. */
  readonly delivered: number
  /** What waits for its client here: frames, and their bytes with what else the system has not taken. */
  readonly waitingFrames: number
  readonly waitingBytes: number
  /** How long the oldest of it has waited, in milliseconds, to a quarter of a second. */
  readonly lagMs: number
}

/** What it says of all. */
export interface StreamOverview {
  /** The 100 that are furthest behind, then the oldest. */
  readonly streams: readonly ListedStream[]
  readonly totals: {
    readonly streams: number
    /** For which something waits. */
    readonly behind: number
    readonly waitingFrames: number
    readonly waitingBytes: number
    /** Frames given to streams since the start, also to those that have ended. */
    readonly delivered: number
  }
}
