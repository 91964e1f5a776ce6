import type { EngineAnnouncement } from '@ps/jobs'

/** An engine, and when it was last heard of by this computer's clock. */
export interface HeardEngine {
  readonly announcement: EngineAnnouncement
  readonly heardAt: number
}

export interface EnginesStore {
  /** By host, then by id. */
  list(): readonly HeardEngine[]
  put(announcement: EngineAnnouncement): void
  /** Takes a whole list that was asked for at `askedAt`; engines neither in it nor heard of since are dropped. */
  replaceAll(announcements: readonly EngineAnnouncement[], askedAt: number): void
}

/** The engines that are known to be alive. */
export function createEnginesStore(onChange: () => void): EnginesStore {
  const engines = new Map<string, HeardEngine>()
  return {
    list: () =>
      [...engines.values()].toSorted(
        ({ announcement: left }, { announcement: right }) =>
          left.host.localeCompare(right.host) || left.engine.localeCompare(right.engine),
      ),
    put(announcement) {
      if (announcement.leaving === true) engines.delete(announcement.engine)
      else engines.set(announcement.engine, { announcement, heardAt: Date.now() })
      onChange()
    },
    replaceAll(announcements, askedAt) {
      const alive = new Set(announcements.map(({ engine }) => engine))
      for (const [id, { heardAt }] of engines) if (!alive.has(id) && heardAt < askedAt) engines.delete(id)
      for (const announcement of announcements) {
        // One that is known keeps its time: the api's list does not say when it heard of it.
        const heardAt = engines.get(announcement.engine)?.heardAt ?? askedAt
        engines.set(announcement.engine, { announcement, heardAt })
      }
      onChange()
    },
  }
}
