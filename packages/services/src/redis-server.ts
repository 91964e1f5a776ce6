import type { ServerTls } from './certificates.js'

export interface RedisOptions {
  /** Default: a free one. */
  readonly port?: number | undefined
  /** Default: none is asked for. */
  readonly password?: string | undefined
  /** Speak TLS (and nothing else), with a certificate for localhost and 127.0.0.1. */
  readonly tls?: ServerTls | undefined
  /** Server settings, as in redis.conf; one with several arguments as a list. */
  readonly settings?: Readonly<Record<string, string | readonly string[]>> | undefined
}

/** A Redis of our own, on 127.0.0.1. It keeps nothing on disk. */
export interface RedisServer {
  readonly url: string
  readonly port: number
  readonly processId: number
  /** The command line client that came with it, and what it needs in its environment. */
  readonly cli: string | undefined
  readonly environment: NodeJS.ProcessEnv
  /** The certificate of the authority that signed the server's; with `tls` only. */
  readonly caFile: string | undefined
  log(): string
  kill(signal: NodeJS.Signals): void
  /** Stops it, if it still runs, and starts it again, empty, on the same port. */
  restart(): Promise<void>
  halt(): Promise<void>
  stop(): Promise<void>
}
