import { type FaultProxy, startFaultProxy } from '@ps/services'
import { startChild } from './child-process.js'
import type { FinalMessage, FleetProcessOptions, Notice, Order } from './messages.js'
import { type BackendName, environmentOf, type SoakServer } from './soak-server.js'

/** A publisher process or a listener process, and its link to the broker. */
export interface FleetProcess {
  readonly name: string
  readonly role: 'publisher' | 'listener'
  readonly number: number
  /** `undefined` where its client finds the servers by what they announce. */
  readonly proxy: FaultProxy | undefined
  /** When the newest message that was acknowledged or heard was sent, in milliseconds since 1970. */
  readonly aliveAt: number
  /** Whether its client says that it is down. */
  readonly isDown: boolean
  /** When its client was heard to be down last, in milliseconds since 1970. */
  readonly downAt: number
  readonly ready: Promise<void>
  /** Resolves when it has done what the order `finish` asks for, or has ended. */
  readonly finished: Promise<readonly FinalMessage[]>
  readonly exited: Promise<number | null>
  order(order: Order): void
  /** Ends it at once, where it has not ended by itself. */
  close(): Promise<void>
}

export interface FleetProcessStart extends Omit<FleetProcessOptions, 'name' | 'backend'> {
  readonly role: FleetProcess['role']
  readonly backend: BackendName
  readonly server: SoakServer
  readonly onUncaught: (name: string, text: string) => void
  /** It has ended otherwise than by the order `stop`. */
  readonly onDeath: (name: string, errors: string) => void
}

export async function startFleetProcess(start: FleetProcessStart): Promise<FleetProcess> {
  const { role, backend, number, channels, rate, packing, auditorPort, server, onUncaught, onDeath } = start
  const name = `${backend} ${role} ${number}`
  const proxy = server.port === undefined ? undefined : await startFaultProxy({ port: server.port })
  let onReady = (): void => {}
  let onEndBeforeReady = (_reason: Error): void => {}
  const ready = new Promise<void>((resolve, reject) => {
    onReady = resolve
    onEndBeforeReady = reject
  })
  ready.catch(() => {})
  let onFinished = (_finals: readonly FinalMessage[]): void => {}
  const finished = new Promise<readonly FinalMessage[]>((resolve) => {
    onFinished = resolve
  })
  let aliveAt = 0
  let isDown = false
  let downAt = 0
  let stopping = false
  let closing = false

  const hear = (notice: Notice): void => {
    if (notice.kind === 'ready') onReady()
    else if (notice.kind === 'alive') aliveAt = notice.at
    else if (notice.kind === 'finished') onFinished(notice.finals)
    else if (notice.kind === 'uncaught') onUncaught(name, notice.text)
    else {
      isDown = notice.state === 'down'
      if (isDown) downAt = Date.now()
    }
  }
  const options: FleetProcessOptions = { name, backend, number, channels, rate, packing, auditorPort }
  const child = startChild<Notice>({
    file: `${role}.js`,
    argument: JSON.stringify(options),
    environment: {
      ...environmentOf(backend, proxy?.through(server.url) ?? server.url),
      PUBSUB_PACKING: packing ? 'on' : 'off',
    },
    onMessage: hear,
  })
  const exited = child.exited.then((code) => {
    if (!closing && (!stopping || code !== 0)) onDeath(name, `it ended with ${code}: ${child.errors()}`)
    onEndBeforeReady(new Error(`${name} ended`))
    onFinished([])
    return code
  })
  return {
    name,
    role,
    number,
    proxy,
    get aliveAt() {
      return aliveAt
    },
    get isDown() {
      return isDown
    },
    get downAt() {
      return downAt
    },
    ready,
    finished,
    exited,
    order(order) {
      if (order.kind === 'stop') stopping = true
      child.send(order)
    },
    async close() {
      closing = true
      if (!child.hasExited()) child.kill()
      await exited
      await proxy?.close()
    },
  }
}
