import type { EngineAnnouncement } from '@ps/jobs'
import { isAnnouncement } from './heard-messages.js'

/** Three announcements may be lost, in milliseconds. */
export const maxSilence = 6_000
/** More than any fleet has: what comes beyond is not believed. */
const maxEngines = 1_000

/** Who is alive. */
export interface Engines {
  /** By id. */
  list(): readonly EngineAnnouncement[]
  /** Those that may be offered a job, the one with the most free capacity first. */
  candidates(): readonly string[]
  /** Counts a job that is offered to an engine until the engine says itself how much it has to do. */
  expect(engine: string): void
  /** Returns whether the engine was not known before. */
  hear(announcement: unknown): boolean
  /** Nobody could be heard for a while: silence until now says nothing. */
  forgive(): void
  /** Drops those that are silent. */
  expire(): void
}

/** `onGone` is told of an engine that has left, is silent, or has begun anew and so forgotten its jobs. */
export function createEngines(onGone: (engine: string) => void): Engines {
  const engines = new Map<string, { announcement: EngineAnnouncement; heardAt: number; expected: number }>()

  const remove = (engine: string): void => {
    if (engines.delete(engine)) onGone(engine)
  }

  const free = (engine: string): number => {
    const entry = engines.get(engine)
    if (entry === undefined) return Number.NEGATIVE_INFINITY
    const { capacity, running, queued } = entry.announcement
    return capacity - running - queued - entry.expected
  }

  return {
    list: () =>
      [...engines.values()]
        .map(({ announcement }) => announcement)
        .toSorted((left, right) => left.engine.localeCompare(right.engine)),
    candidates: () => [...engines.keys()].toSorted((left, right) => free(right) - free(left)),
    expect(engine) {
      const entry = engines.get(engine)
      if (entry !== undefined) entry.expected += 1
    },
    hear(announcement) {
      if (!isAnnouncement(announcement)) return false
      const { engine, startedAt, leaving } = announcement
      const known = engines.get(engine)
      if (leaving === true || (known !== undefined && known.announcement.startedAt !== startedAt))
        remove(engine)
      if (leaving === true || (known === undefined && engines.size >= maxEngines)) return false
      engines.set(engine, { announcement, heardAt: performance.now(), expected: 0 })
      return known?.announcement.startedAt !== startedAt
    },
    forgive() {
      for (const entry of engines.values()) entry.heardAt = performance.now()
    },
    expire() {
      const now = performance.now()
      for (const [engine, { heardAt }] of engines) if (now - heardAt > maxSilence) remove(engine)
    },
  }
}
