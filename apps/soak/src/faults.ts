import { readFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
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
    return {
      milliseconds,
      concerned: processes,
      async run(signal) {
        const before = server.processId
        const connections = processes.reduce((sum, { proxy }) => sum + proxy.connections, 0)
        server.kill('SIGKILL')
        await sleep(milliseconds, undefined, { signal })
        await server.restart()
        return {
          proven: server.processId !== before && connections > 0,
          proof: `process ${before} -> ${server.processId}, with ${connections} connections`,
        }
      },
    }
  },

  'server stopped': ({ server, processes }, random) => {
    const milliseconds = random.between(1_000, 5_000)
    return {
      milliseconds,
      concerned: processes,
      async run(signal) {
        server.kill('SIGSTOP')
        try {
          await sleep(milliseconds, undefined, { signal })
          const state = processState(server.processId)
          return { proven: state === 'T', proof: `process state ${state}` }
        } finally {
          server.kill('SIGCONT')
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

  'link cut': ({ processes }, random) => {
    const one = pickProcess(processes, random)
    return {
      milliseconds: 0,
      concerned: [one],
      async run() {
        const count = one.proxy.cut()
        return { proven: count > 0, proof: `${count} connections of ${one.name}` }
      },
    }
  },

  'link frozen': ({ processes }, random) => {
    const one = pickProcess(processes, random)
    const milliseconds = random.between(1_000, 8_000)
    return {
      milliseconds,
      concerned: [one],
      async run(signal) {
        const start = Date.now()
        const before = one.proxy.heldBytes
        one.proxy.freeze()
        try {
          await sleep(milliseconds, undefined, { signal })
          const held = one.proxy.heldBytes - before
          const wasDown = one.downAt >= start
          return {
            proven: held > 0 || wasDown,
            proof: `${one.name}: ${held} bytes held${wasDown ? ', it noticed' : ''}`,
          }
        } finally {
          one.proxy.thaw()
        }
      },
    }
  },

  'connections refused': ({ processes }, random) => {
    const one = pickProcess(processes, random)
    const milliseconds = random.between(1_000, 3_000)
    return {
      milliseconds,
      concerned: [one],
      async run(signal) {
        const start = Date.now()
        await one.proxy.refuse()
        // Open connections would live on.
        const count = one.proxy.cut()
        try {
          await sleep(milliseconds, undefined, { signal })
          const isOut = one.downAt >= start && one.isDown && one.proxy.connections === 0
          return {
            proven: isOut,
            proof: `${one.name}: ${count} connections cut, ${one.proxy.connections} made, ${isOut ? 'down' : 'up'} at the end`,
          }
        } finally {
          await one.proxy.accept()
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
