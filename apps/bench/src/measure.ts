import type { Contestant } from './contestants.js'
import type { Load } from './orders.js'

/** How long things last. */
export interface Scale {
  readonly quick: boolean
  readonly rounds: number
  /** Of each round of each contestant, in milliseconds. */
  readonly milliseconds: number
  /** Of a run that shows the memory. */
  readonly messages: number
}

/** Work that every contestant is given alike. */
export interface Measure {
  readonly name: string
  /** What `--only` calls it. */
  readonly group: string
  readonly title: string
  /** The figure that ratios are of. */
  readonly figure: string
  /** The figures to be shown. */
  readonly shows: readonly string[]
  readonly takes: (contestant: Contestant) => boolean
  readonly channels: number
  readonly listeners: number
  readonly load: Load | undefined
  /** Fewer, where one takes long. */
  readonly rounds?: number
  /** What the processes hold is looked at after each tenth of the load's messages. */
  readonly showsMemory?: true
  /** Left out of a quick run, unless it is asked for by name. */
  readonly isLong?: true
  /** Other connections of the database that listen, to other channels. */
  readonly bystanders?: number
}
