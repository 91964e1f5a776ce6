import { createServer } from 'node:net'
import { createInterface } from 'node:readline'
import { chaosVerdict } from './chaos-verdict.js'
import { judgeMemory } from './judge-memory.js'
import { createLedger, type Ledger } from './ledger.js'
import type { AuditOrder, AuditPlan, Fault, MemorySample, Report } from './messages.js'
import { liveUnderParent, sampleMemory, tellParent } from './process-life.js'
import { soakVerdict } from './soak-verdict.js'
import { renderTable } from './table.js'

// The auditor process: takes the reports of all fleets, and at the end prints the table. Its exit code is the verdict.

const memoryMilliseconds = 5_000

liveUnderParent()
const begun = Date.now()
const ledgers = new Map<string, Ledger>()
const faults: Fault[] = []
const memory = new Map<string, MemorySample[]>()
const uncaught: string[] = []
const problems: string[] = []
let plan: AuditPlan | undefined
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
  else ledgers.get(report.fleet)?.add(report)
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

const judge = async (of: AuditPlan): Promise<void> => {
  clearInterval(measuring)
  if (open > 0) await new Promise<void>((resolve) => (onAllRead = resolve))
  const judged = [...memory].flatMap(([name, samples]) => {
    const one = judgeMemory(samples, publishingBegun)
    return one === undefined ? [] : [[name, one] as const]
  })
  const verdictOf = of.program === 'chaos' ? chaosVerdict : soakVerdict
  const { heads, rows, notes } = verdictOf({
    plan: of,
    ledgers: of.fleets.map((fleet) => ledgers.get(fleet) ?? createLedger(of, begun)),
    faults,
    memory: new Map(judged),
    uncaught,
    problems,
  })
  const unproven = faults.filter(({ proven }) => !proven)
  const all = [
    ...notes,
    ...unproven.map(({ backend, kind, proof }) => `not proven: ${backend}, ${kind}: ${proof}`),
    ...problems.map((text) => `problem: ${text}`),
  ]
  const broken = rows.filter((row) => row.broken).map(({ label }) => label)
  const verdict = broken.length === 0 ? 'every limit is kept' : `BROKEN: ${broken.join('; ')}`
  process.exitCode = broken.length === 0 ? 0 : 1
  process.stdout.write(`${renderTable(heads, rows)}\n${all.join('\n')}\n${verdict} (seed ${of.seed})\n`, () =>
    process.exit(),
  )
}

const obey = (order: AuditOrder): void => {
  if (order.kind === 'plan') {
    plan = order.plan
    for (const fleet of plan.fleets) ledgers.set(fleet, createLedger(plan, begun))
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
