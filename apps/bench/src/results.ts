import type { BackendName, Contestant } from './contestants.js'
import type { Sample } from './sample.js'

/** What one contestant gave in one measurement. */
export interface Row {
  readonly contestant: string
  readonly backend: BackendName | 'none'
  readonly kind: Contestant['kind']
  /** Whether ratios on its backend refer to it. */
  readonly base: boolean
  readonly samples: readonly Sample[]
  /** Why it gave nothing more. */
  readonly error?: string
}

export interface Measurement {
  readonly name: string
  readonly title: string
  /** The figure that ratios are of. */
  readonly figure: string
  readonly shows: readonly string[]
  readonly rows: readonly Row[]
  /** The share of the machine that other programs used meanwhile, 0 to 1. */
  readonly others?: number
}

/** What a run leaves behind, as JSON. */
export interface Results {
  readonly date: string
  readonly machine: string
  readonly versions: Readonly<Record<string, string>>
  readonly quick: boolean
  readonly rounds: number
  readonly milliseconds: number
  /** Who did not take part, and why. */
  readonly leftOut: readonly { readonly name: string; readonly why: string }[]
  readonly measurements: readonly Measurement[]
}
