import { type ChannelRecord, heardCode, type ListenerRecord, type PublisherRecord } from './judge-channel.js'
import { type AuditPlan, gapMark, heardWidth, publishWidth, type Report } from './messages.js'

/** All that the processes of one fleet have reported, as plain numbers. */
export interface Ledger {
  readonly channels: readonly ChannelRecord[]
  /** Messages whose filler was not the one sent. */
  readonly damaged: number
  /** Payloads that held several messages. */
  readonly packs: number
  /** Payloads that were acknowledged, by backend. */
  readonly acknowledged: ReadonlyMap<string, number>
  /** What each publisher was asked for by listeners. */
  readonly recovery: readonly RecoveryRecord[]
  add(report: Exclude<Report, { kind: 'memory' }>): void
}

/** What one publisher was asked for: messages sent again, and those that it no longer kept. */
export interface RecoveryRecord {
  resent: number
  forgotten: number
}

export function createLedger(plan: AuditPlan, begun: number): Ledger {
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
  const acknowledged = new Map<string, number>()
  const recovery = Array.from(
    { length: plan.publishers },
    (): RecoveryRecord => ({ resent: 0, forgotten: 0 }),
  )

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
    acknowledged,
    recovery,
    add(report) {
      if (report.kind === 'published') {
        packs += report.packs
        for (const [backend, count] of Object.entries(report.acknowledged))
          acknowledged.set(backend, (acknowledged.get(backend) ?? 0) + count)
        return addPublishes(report.number, report.rows)
      }
      if (report.kind === 'recovery') {
        recovery[report.number] = { resent: report.resent, forgotten: report.forgotten }
        return
      }
      damaged += report.damaged
      addHeard(report.number, report.rows)
    },
  }
}
