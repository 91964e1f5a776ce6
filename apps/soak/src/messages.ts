import type { FillerSizes } from './filler.js'

/** What travels over the client under test. */
export interface SoakMessage {
  /** The publisher's number in its fleet. */
  readonly publisher: number
  /** Counted from 0, a publisher and channel. */
  readonly sequence: number
  /** When, in milliseconds since 1970. */
  readonly sent: number
  readonly filler: string
}

/** A channel's name, from its number. */
export const channelName = (channel: number): string => `soak-${channel}`

/** Whether messages of a fleet travel on a channel, and not what clients say among themselves. */
export const isFleetChannel = (name: string): boolean => name.startsWith('soak-')

/** The last message of a publisher on a channel, accepted for certain. */
export interface FinalMessage {
  readonly publisher: number
  readonly channel: number
  readonly sequence: number
}

/** Given to a publisher process or a listener process at its start, as JSON. */
export interface FleetProcessOptions {
  /** Its name in the table: `redis publisher 1`. */
  readonly name: string
  readonly fleet: string
  /** Its number among those of its role in its fleet, from 0. */
  readonly number: number
  readonly channels: number
  /** Messages a second; of publishers only. */
  readonly rate: number
  /** Whether its client packs, and it publishes in bursts; of publishers only. */
  readonly packing: boolean
  readonly sizes: FillerSizes
  /** Where the auditor listens. */
  readonly auditorPort: number
}

/** From the orchestrator to a process of a fleet. */
export type Order =
  | { readonly kind: 'start' }
  /** A publisher sends its final messages; a listener waits for those of all publishers. */
  | { readonly kind: 'finish'; readonly finals: readonly FinalMessage[] }
  /** Its client asks its brokers how they are. */
  | { readonly kind: 'check'; readonly id: number }
  | { readonly kind: 'stop' }

/** From a process of a fleet to the orchestrator. */
export type Notice =
  | { readonly kind: 'ready' }
  /** A message sent at that time, in milliseconds since 1970, was acknowledged, or heard. */
  | { readonly kind: 'alive'; readonly at: number }
  | { readonly kind: 'state'; readonly state: string }
  | { readonly kind: 'checked'; readonly id: number; readonly state: string }
  | { readonly kind: 'finished'; readonly finals: readonly FinalMessage[] }
  | { readonly kind: 'uncaught'; readonly text: string }

/** How many numbers describe a publish: channel, sequence, 1 where it was accepted, started, settled. */
export const publishWidth = 5
/** How many numbers describe what a listener heard: channel, publisher (`gapMark`: a gap), sequence, when. */
export const heardWidth = 4
export const gapMark = -1

/** From a process of a fleet to the auditor, one a line. Times are in milliseconds since 1970. */
export type Report =
  | {
      readonly kind: 'published'
      readonly fleet: string
      readonly number: number
      readonly rows: number[]
      /** Payloads that held several messages. */
      readonly packs: number
      /** Payloads that were acknowledged, by backend. */
      readonly acknowledged: Readonly<Record<string, number>>
    }
  | {
      readonly kind: 'heard'
      readonly fleet: string
      readonly number: number
      readonly rows: number[]
      /** Messages whose filler was not the one sent. */
      readonly damaged: number
    }
  | {
      readonly kind: 'recovery'
      readonly fleet: string
      readonly number: number
      /** Messages that a listener asked this publisher for. */
      readonly resent: number
      /** Those that it no longer kept. */
      readonly forgotten: number
    }
  | ({ readonly kind: 'memory'; readonly name: string } & MemorySample)

/** In bytes. */
export interface MemorySample {
  readonly at: number
  readonly resident: number
  /** The heap after a collection, and what is held outside of it. */
  readonly live: number
}

/** A fault that is over. */
export interface Fault {
  readonly fleet: string
  /** Of the broker that it was done to. */
  readonly backend: string
  readonly kind: string
  readonly start: number
  readonly end: number
  /** The numbers of the publishers whose broker was out of reach meanwhile. */
  readonly publishers: readonly number[]
  readonly proven: boolean
  /** What shows that it had an effect, or what was seen instead. */
  readonly proof: string
}

/** What is run, for the auditor. */
export interface AuditPlan {
  /** Whose limits count. */
  readonly program: 'soak' | 'chaos'
  readonly minutes: number
  readonly seed: number
  readonly publishers: number
  readonly listeners: number
  readonly channels: number
  readonly faultKinds: readonly string[]
  readonly fleets: readonly string[]
}

/** From the orchestrator to the auditor. */
export type AuditOrder =
  | { readonly kind: 'plan'; readonly plan: AuditPlan }
  | { readonly kind: 'begun'; readonly at: number }
  | { readonly kind: 'fault'; readonly fault: Fault }
  | ({ readonly kind: 'memory'; readonly name: string } & MemorySample)
  | { readonly kind: 'uncaught'; readonly name: string }
  | { readonly kind: 'problem'; readonly text: string }
  | { readonly kind: 'judge' }

/** From the auditor to the orchestrator. */
export type AuditNotice =
  | { readonly kind: 'listening'; readonly port: number }
  | { readonly kind: 'uncaught'; readonly text: string }
