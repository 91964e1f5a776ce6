import { type FaultProxy, startFaultProxy } from '@ps/services'
import { startChild } from './child-process.js'
import type { FinalMessage, FleetProcessOptions, Notice, Order } from './messages.js'
import { type BackendName, environmentOf, type SoakServer } from './soak-server.js'

/** A publisher process or a listener process, and its links to the brokers. */
export interface FleetProcess {
  readonly name: string
  readonly role: 'publisher' | 'listener'
  readonly number: number
  /** Its own link to each broker; none to one whose servers clients find by what these announce. */
  readonly links: ReadonlyMap<BackendName, FaultProxy>
  /** When the newest message that was acknowledged or heard was sent, in milliseconds since 1970. */
  readonly aliveAt: number
  /** Whether its client has said last that every broker is up. */
  readonly isReady: boolean
  /** When its client was heard last to say that a broker is down, in milliseconds since 1970. */
  readonly notReadyAt: number
  readonly ready: Promise<void>
  /** Resolves when it has done what the order `finish` asks for, or has ended. */
  readonly finished: Promise<readonly FinalMessage[]>
  readonly exited: Promise<number | null>
  order(order: Order): void
  /** Has its client ask every broker by a round trip. Resolves with whether all are up. */
  check(): Promise<boolean>
  /** Ends it at once, where it has not ended by itself. */
  close(): Promise<void>
}

export interface FleetProcessStart extends Omit<FleetProcessOptions, 'name'> {
  readonly role: FleetProcess['role']
  /** The first choice first. */
  readonly servers: readonly SoakServer[]
  /** Further variables that its client reads. */
  readonly environment?: Readonly<Record<string, string>>
  readonly onUncaught: (name: string, text: string) => void
  /** It has ended otherwise than by the order `stop`. */
  readonly onDeath: (name: string, errors: string) => void
}

export async function startFleetProcess(start: FleetProcessStart): Promise<FleetProcess> {
  const { role, servers, environment, onUncaught, onDeath, ...given } = start
  const { fleet, number, packing } = given
  const name = `${fleet} ${role} ${number}`
  const links = new Map<BackendName, FaultProxy>()
  for (const { backend, port } of servers)
    if (port !== undefined) links.set(backend, await startFaultProxy({ port }))
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
  let isReady = true
  let notReadyAt = 0
  let checks = 0
  const checking = new Map<number, (isReady: boolean) => void>()
  let stopping = false
  let closing = false

  const hear = (notice: Notice): void => {
    if (notice.kind === 'ready') onReady()
    else if (notice.kind === 'alive') aliveAt = notice.at
    else if (notice.kind === 'finished') onFinished(notice.finals)
    else if (notice.kind === 'uncaught') onUncaught(name, notice.text)
    else if (notice.kind === 'checked') {
      checking.get(notice.id)?.(notice.state === 'ready')
      checking.delete(notice.id)
    } else {
      isReady = notice.state === 'ready'
      if (!isReady) notReadyAt = Date.now()
    }
  }
  const options: FleetProcessOptions = { name, ...given }
  const child = startChild<Notice>({
    file: `${role}.js`,
    argument: JSON.stringify(options),
    environment: {
      ...environmentOf(
        servers.map(({ backend, url }) => ({ backend, url: links.get(backend)?.through(url) ?? url })),
      ),
      ...environment,
      PUBSUB_PACKING: packing ? 'on' : 'off',
    },
    onMessage: hear,
  })
  const exited = child.exited.then((code) => {
    if (!closing && (!stopping || code !== 0)) onDeath(name, `it ended with ${code}: ${child.errors()}`)
    onEndBeforeReady(new Error(`${name} ended`))
    onFinished([])
    for (const onChecked of checking.values()) onChecked(false)
    return code
  })
  return {
    name,
    role,
    number,
    links,
    get aliveAt() {
      return aliveAt
    },
    get isReady() {
      return isReady
    },
    get notReadyAt() {
      return notReadyAt
    },
    ready,
    finished,
    exited,
    order(order) {
      if (order.kind === 'stop') stopping = true
      child.send(order)
    },
    check() {
      if (child.hasExited()) return Promise.resolve(false)
      const id = checks++
      return new Promise((resolve) => {
        checking.set(id, resolve)
        child.send({ kind: 'check', id } satisfies Order)
      })
    },
    async close() {
      closing = true
      if (!child.hasExited()) child.kill()
      await exited
      for (const link of links.values()) await link.close()
    },
  }
}
