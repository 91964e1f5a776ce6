import type { MemoryJudgement } from './judge-memory.js'
import type { Ledger } from './ledger.js'
import type { AuditPlan, Fault } from './messages.js'
import type { Row } from './table.js'

/** What every verdict stands on. */
export interface Evidence {
  readonly plan: AuditPlan
  /** By the name of the process; those of a fleet begin with its name. */
  readonly memory: ReadonlyMap<string, MemoryJudgement>
  /** The names of the processes with an uncaught error. */
  readonly uncaught: readonly string[]
  /** Whatever else went wrong. */
  readonly problems: readonly string[]
}

/** All that the auditor was told. */
export interface Records extends Evidence {
  /** In the plan's order of fleets. */
  readonly ledgers: readonly Ledger[]
  readonly faults: readonly Fault[]
}

/** What the auditor prints. */
export interface Verdict {
  readonly heads: readonly string[]
  readonly rows: readonly Row[]
  /** What stands under the table. */
  readonly notes: readonly string[]
}
