import { setTimeout as sleep } from 'node:timers/promises'
import type { FaultProxy } from '@ps/services'
import type { FleetProcess } from './fleet-process.js'
import type { KilledType } from './kill-redis-connections.js'
import { processState } from './process-state.js'
import type { Random } from './random.js'
import type { SoakServer } from './soak-server.js'

/** What faults are done to. */
export interface FaultTarget {
  readonly server: SoakServer
  readonly processes: readonly FleetProcess[]
}

/** Whether a fault had an effect, and what shows it. */
export interface Proof {
  readonly proven: boolean
  readonly proof: string
}

/** A fault that is drawn and not done yet. */
export interface DrawnFault {
  /** How long it lasts at least. */
  readonly milliseconds: number
  /** The processes that cannot reach their broker meanwhile. */
  readonly concerned: readonly FleetProcess[]
  /** Does it, and undoes it also where `signal` is aborted. Resolves when it is over. */
  run(signal: AbortSignal): Promise<Proof>
}

export type DrawFault = (target: FaultTarget, random: Random) => DrawnFault

/** Draws how long something lasts, in milliseconds. */
export type DrawLength = (random: Random) => number

/** SIGKILL, and started again after so long. */
export const killServer =
  (draw: DrawLength): DrawFault =>
  ({ server, processes }, random) => {
    const milliseconds = draw(random)
    const index = random.between(0, server.size - 1)
    return {
      milliseconds,
      concerned: processes,
      async run(signal) {
        const node = await server.node(index)
        const before = node.processId
        const links =
          node.link === undefined
            ? processes.flatMap((one) => one.links.get(server.backend) ?? [])
            : [node.link]
        const connections = links.reduce((sum, link) => sum + link.connections, 0)
        node.kill('SIGKILL')
        await sleep(milliseconds, undefined, { signal })
        await node.restart()
        return {
          proven: node.processId !== before && connections > 0,
          proof: `${node.name}: process ${before} -> ${node.processId}, with ${connections} connections`,
        }
      },
    }
  }

/** SIGSTOP for so long. */
export const stopServer =
  (draw: DrawLength): DrawFault =>
  ({ server, processes }, random) => {
    const milliseconds = draw(random)
    const index = random.between(0, server.size - 1)
    return {
      milliseconds,
      concerned: processes,
      async run(signal) {
        const node = await server.node(index)
        node.kill('SIGSTOP')
        try {
          await sleep(milliseconds, undefined, { signal })
          const state = processState(node.processId)
          return { proven: state === 'T', proof: `${node.name}: process state ${state}` }
        } finally {
          node.kill('SIGCONT')
          if (!signal.aborted) await server.settled()
        }
      },
    }
  }

/** The server kills its connections: on Redis those of a drawn type, on PostgreSQL all. */
export const killConnections =
  (draw: (random: Random) => KilledType): DrawFault =>
  ({ server, processes }, random) => ({
    milliseconds: 0,
    concerned: processes,
    async run() {
      const { count, which } = await server.killConnections(() => draw(random))
      return { proven: count > 0, proof: `${count} connections (${which})` }
    },
  })

/** Every connection of a link breaks. */
export const cutLink: DrawFault = (target, random) => {
  const { concerned, find } = drawLink(target, random)
  return {
    milliseconds: 0,
    concerned,
    async run() {
      const { link, name } = await find()
      const count = link.cut()
      return { proven: count > 0, proof: `${count} connections of ${name}` }
    },
  }
}

/** For so long nothing moves on a link, and nothing breaks. */
export const freezeLink =
  (draw: DrawLength): DrawFault =>
  (target, random) => {
    const { concerned, find } = drawLink(target, random)
    const milliseconds = draw(random)
    return {
      milliseconds,
      concerned,
      async run(signal) {
        const { link, name } = await find()
        const start = Date.now()
        const before = link.heldBytes
        link.freeze()
        // A link on which nothing happens to travel would hold nothing.
        for (const one of concerned) void one.check()
        try {
          await sleep(milliseconds, undefined, { signal })
          const held = link.heldBytes - before
          const wasNoticed = concerned.some(({ notReadyAt }) => notReadyAt >= start)
          return {
            proven: held > 0 || wasNoticed,
            proof: `${name}: ${held} bytes held${wasNoticed ? ', it was noticed' : ''}`,
          }
        } finally {
          link.thaw()
        }
      },
    }
  }

/** For so long a link is cut and takes no connection. */
export const refuseConnections =
  (draw: DrawLength): DrawFault =>
  (target, random) => {
    const { concerned, find } = drawLink(target, random)
    const milliseconds = draw(random)
    return {
      milliseconds,
      concerned,
      async run(signal) {
        const { link, name } = await find()
        await link.refuse()
        // Open connections would live on.
        const count = link.cut()
        try {
          await sleep(milliseconds, undefined, { signal })
          const isOut = concerned.every(({ isReady }) => !isReady) && link.connections === 0
          return {
            proven: isOut,
            proof: `${name}: ${count} connections cut, ${link.connections} made, ${isOut ? 'down' : 'up'} at the end`,
          }
        } finally {
          await link.accept()
        }
      },
    }
  }

interface DrawnLink {
  readonly concerned: readonly FleetProcess[]
  find(): Promise<{ readonly link: FaultProxy; readonly name: string }>
}

/** The link of one process, or that of all processes to one server. */
function drawLink({ server, processes }: FaultTarget, random: Random): DrawnLink {
  const index = random.between(0, server.size - 1)
  const one = pickProcess(processes, random)
  const own = one.links.get(server.backend)
  if (own !== undefined) return { concerned: [one], find: async () => ({ link: own, name: one.name }) }
  return {
    concerned: processes,
    async find() {
      const node = await server.node(index)
      if (node.link === undefined) throw new Error(`there is no link to ${node.name}`)
      return { link: node.link, name: node.name }
    },
  }
}

function pickProcess(processes: readonly FleetProcess[], random: Random): FleetProcess {
  const [first, ...others] = processes
  if (first === undefined) throw new Error('a fleet without processes')
  return random.pick([first, ...others])
}
