import { type ChannelRecord, heardCode, type ListenerRecord, type PublisherRecord } from './judge-channel.js'
import { gapMark, heardWidth, publishWidth, type Report, type SoakPlan } from './messages.js'

/** All that the processes of one fleet have reported, as plain numbers. */
export interface Ledger {
  readonly channels: readonly ChannelRecord[]
  /** Messages whose filler was not the one sent. */
  readonly damaged: number
  /** Payloads that held several messages. */
  readonly packs: number
  add(report: Exclude<Report, { kind: 'memory' }>): void
}

export function createLedger(plan: SoakPlan, begun: number): Ledger {
  const channels = Array.from({ length: plan.channels }, () => ({
    publishers: Array.from(
      { length: plan.publishers },
      (): PublisherRecord => ({
        accepted: [],
        started: [],
        settled: [],
      }),
    ),
    listeners: Array.from({ length: plan.listeners }, (): ListenerRecord & { last: number } => ({
      heard: [],
      gaps: [],
      last: begun,
    })),
  }))
  let damaged = 0
  let packs = 0

  const addPublishes = (publisher: number, rows: readonly number[]): void => {
    for (let at = 0; at < rows.length; at += publishWidth) {
      const [channel = 0, sequence = 0, accepted = 0, started = 0, settled = 0] = rows.slice(
        at,
        at + publishWidth,
      )
      const record = channels[channel]?.publishers[publisher]
      if (record === undefined) continue
      record.accepted[sequence] = accepted
      record.started[sequence] = started
      record.settled[sequence] = settled
    }
  }

  const addHeard = (listener: number, rows: readonly number[]): void => {
    for (let at = 0; at < rows.length; at += heardWidth) {
      const [channel = 0, publisher = 0, sequence = 0, time = 0] = rows.slice(at, at + heardWidth)
      const record = channels[channel]?.listeners[listener]
      if (record === undefined) continue
      if (publisher === gapMark) {
        record.heard.push(gapMark)
        record.gaps.push({ since: record.last, told: time })
      } else {
        record.heard.push(heardCode(publisher, sequence, plan.publishers))
        record.last = time
      }
    }
  }

  return {
    channels,
    get damaged() {
      return damaged
    },
    get packs() {
      return packs
    },
    add(report) {
      if (report.kind === 'published') {
        packs += report.packs
        return addPublishes(report.number, report.rows)
      }
      damaged += report.damaged
      addHeard(report.number, report.rows)
    },
  }
}
