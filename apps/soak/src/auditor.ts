import { createServer } from 'node:net'
import { createInterface } from 'node:readline'
import { addUp, judgeFleet } from './judge-fleet.js'
import { judgeMemory } from './judge-memory.js'
import { createLedger, type Ledger } from './ledger.js'
import type { AuditOrder, Fault, MemorySample, Report, SoakPlan } from './messages.js'
import { liveUnderParent, sampleMemory, tellParent } from './process-life.js'
import { renderTable } from './table.js'
import { definitions, tableRows } from './verdict.js'

// The auditor process: takes the reports of all fleets, and at the end prints the table. Its exit code is the verdict.

const memoryMilliseconds = 5_000
/** So many findings a backend are printed. */
const maxFindings = 10

liveUnderParent()
const begun = Date.now()
const ledgers = new Map<string, Ledger>()
const faults: Fault[] = []
const memory = new Map<string, MemorySample[]>()
const uncaught: string[] = []
const problems: string[] = []
let plan: SoakPlan | undefined
let publishingBegun = begun
let open = 0
let onAllRead = (): void => {}

const addMemory = (name: string, { at, resident, live }: MemorySample): void => {
  const samples = memory.get(name) ?? []
  memory.set(name, samples)
  samples.push({ at, resident, live })
}

const take = (report: Report): void => {
  if (report.kind === 'memory') addMemory(report.name, report)
  else ledgers.get(report.backend)?.add(report)
}

const server = createServer((socket) => {
  open += 1
  const lines = createInterface({ input: socket })
  lines.on('line', (line) => take(JSON.parse(line) as Report))
  lines.on('close', () => {
    open -= 1
    if (open === 0) onAllRead()
  })
})

const judge = async (of: SoakPlan): Promise<void> => {
  clearInterval(measuring)
  if (open > 0) await new Promise<void>((resolve) => (onAllRead = resolve))
  const fleets = of.backends.map((backend) =>
    judgeFleet(
      of,
      ledgers.get(backend) ?? createLedger(of, begun),
      faults.filter((fault) => fault.backend === backend),
    ),
  )
  const judged = [...memory].flatMap(([name, samples]) => {
    const one = judgeMemory(samples, publishingBegun)
    return one === undefined ? [] : [[name, one] as const]
  })
  const rows = tableRows({
    plan: of,
    fleets,
    total: addUp(fleets, of.faultKinds),
    memory: new Map(judged),
    uncaught,
    problems,
  })
  const unproven = faults.filter(({ proven }) => !proven)
  const notes = [
    ...definitions,
    ...unproven.map(({ backend, kind, proof }) => `not proven: ${backend}, ${kind}: ${proof}`),
    ...fleets.flatMap(({ findings }, index) =>
      findings.slice(0, maxFindings).map((words) => `${of.backends[index]}, ${words}`),
    ),
    ...problems.map((text) => `problem: ${text}`),
  ]
  const heads = fleets.length > 1 ? [...of.backends, 'total'] : of.backends
  const broken = rows.filter((row) => row.broken).map(({ label }) => label)
  const verdict = broken.length === 0 ? 'every limit is kept' : `BROKEN: ${broken.join('; ')}`
  process.exitCode = broken.length === 0 ? 0 : 1
  process.stdout.write(
    `${renderTable(heads, rows)}\n${notes.join('\n')}\n${verdict} (seed ${of.seed})\n`,
    () => process.exit(),
  )
}

const obey = (order: AuditOrder): void => {
  if (order.kind === 'plan') {
    plan = order.plan
    for (const backend of plan.backends) ledgers.set(backend, createLedger(plan, begun))
  } else if (order.kind === 'begun') publishingBegun = order.at
  else if (order.kind === 'fault') faults.push(order.fault)
  else if (order.kind === 'memory') addMemory(order.name, order)
  else if (order.kind === 'uncaught') uncaught.push(order.name)
  else if (order.kind === 'problem') problems.push(order.text)
  else if (plan !== undefined) void judge(plan)
}

const measuring = setInterval(() => addMemory('auditor', sampleMemory()), memoryMilliseconds)
process.on('message', obey)
server.listen(0, '127.0.0.1', () => {
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('no port was given')
  tellParent({ kind: 'listening', port: address.port })
})
