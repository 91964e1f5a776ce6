import { readFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import type { FaultProxy } from '@ps/services'
import type { FleetProcess } from './fleet-process.js'
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

type DrawFault = (target: FaultTarget, random: Random) => DrawnFault

const kinds: Readonly<Record<string, DrawFault>> = {
  'server killed': ({ server, processes }, random) => {
    const milliseconds = random.between(0, 2_000)
    const index = random.between(0, server.size - 1)
    return {
      milliseconds,
      concerned: processes,
      async run(signal) {
        const node = await server.node(index)
        const before = node.processId
        const links = node.link === undefined ? processes.flatMap(({ proxy }) => proxy ?? []) : [node.link]
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
  },

  'server stopped': ({ server, processes }, random) => {
    const milliseconds = random.between(1_000, 5_000)
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
  },

  'connections killed': ({ server, processes }, random) => ({
    milliseconds: 0,
    concerned: processes,
    async run() {
      const { count, which } = await server.killConnections(random)
      return { proven: count > 0, proof: `${count} connections (${which})` }
    },
  }),

  'link cut': (target, random) => {
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
  },

  'link frozen': (target, random) => {
    const { concerned, find } = drawLink(target, random)
    const milliseconds = random.between(1_000, 8_000)
    return {
      milliseconds,
      concerned,
      async run(signal) {
        const { link, name } = await find()
        const start = Date.now()
        const before = link.heldBytes
        link.freeze()
        try {
          await sleep(milliseconds, undefined, { signal })
          const held = link.heldBytes - before
          const wasDown = concerned.some(({ downAt }) => downAt >= start)
          return {
            proven: held > 0 || wasDown,
            proof: `${name}: ${held} bytes held${wasDown ? ', it was noticed' : ''}`,
          }
        } finally {
          link.thaw()
        }
      },
    }
  },

  'connections refused': (target, random) => {
    const { concerned, find } = drawLink(target, random)
    const milliseconds = random.between(1_000, 3_000)
    return {
      milliseconds,
      concerned,
      async run(signal) {
        const { link, name } = await find()
        const start = Date.now()
        await link.refuse()
        // Open connections would live on.
        const count = link.cut()
        try {
          await sleep(milliseconds, undefined, { signal })
          const isOut =
            concerned.every(({ downAt, isDown }) => downAt >= start && isDown) && link.connections === 0
          return {
            proven: isOut,
            proof: `${name}: ${count} connections cut, ${link.connections} made, ${isOut ? 'down' : 'up'} at the end`,
          }
        } finally {
          await link.accept()
        }
      },
    }
  },
}

/** The names of all kinds of faults. */
export const faultKinds: readonly string[] = Object.keys(kinds)

/** Draws what is open about a fault: how long, and whose link. */
export function drawFault(kind: string, target: FaultTarget, random: Random): DrawnFault {
  const draw = kinds[kind]
  if (draw === undefined) throw new Error(`no such fault: ${kind}`)
  return draw(target, random)
}

interface DrawnLink {
  readonly concerned: readonly FleetProcess[]
  find(): Promise<{ readonly link: FaultProxy; readonly name: string }>
}

/** The link of one process, or that of all processes to one server. */
function drawLink({ server, processes }: FaultTarget, random: Random): DrawnLink {
  const index = random.between(0, server.size - 1)
  const one = pickProcess(processes, random)
  const { name, proxy } = one
  if (proxy !== undefined) return { concerned: [one], find: async () => ({ link: proxy, name }) }
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

/** `T` is a stopped one. */
function processState(processId: number): string {
  try {
    const text = readFileSync(`/proc/${processId}/stat`, 'utf8')
    // Behind the name, which may hold anything.
    return text.slice(text.lastIndexOf(')') + 2)[0] ?? ''
  } catch {
    return 'unknown: there is no /proc for it'
  }
}
