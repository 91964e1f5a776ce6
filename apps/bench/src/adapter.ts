/** What is published. Its JSON text has the length that the measurement asks for. */
export interface BenchMessage {
  /** Counts from 0 within one measurement; -1 in a probe. */
  readonly sequence: number
  /** When it was published, in milliseconds of the monotonic clock; 0 where nobody asks. */
  readonly sent: number
  readonly filler: string
}

export type Hear = (message: BenchMessage) => void

/** What the connection is for: a program that only publishes opens no connection to listen, where the library lets it. */
export type Role = 'publish' | 'listen'

/** One library, connected. */
export interface Adapter {
  /** Settles with the broker's acknowledgement, not before. Rejects, or resolves with `false`, where it failed. */
  publish(channel: string, message: BenchMessage): Promise<unknown>
  /** May be called several times for a channel. */
  listen(channel: string, hear: Hear): Promise<unknown>
  close(): Promise<unknown>
}

/** `standbyUrl`: the server of the contestant's standby, where it has one. */
export type Connect = (url: string, role: Role, standbyUrl: string | undefined) => Promise<Adapter>

/** For a role that a connection was not opened for. */
export const notFor = (role: Role) => (): Promise<never> =>
  Promise.reject(new Error(`this connection does not ${role}`))
