import { spawn } from 'node:child_process'
import { rmSync, writeSync } from 'node:fs'
import { descendants } from './process-tree.js'
import { sendSignal } from './send-signal.js'

// Stands between a program and a server that it started: when the program is gone, however it went, this process's
// standard input ends, and the server is stopped. Where the program did not say goodbye by a byte before, its temporary
// folders are removed, too. Arguments: user id or '', temporary folders as JSON, then the command.
const [userId, temporaryFolders = '[]', command, ...rest] = process.argv.slice(2)
if (command === undefined) throw new Error('guard: no command given')

const identity = userId ? { uid: Number(userId), gid: Number(userId) } : {}
const server = spawn(command, rest, { stdio: ['ignore', 'inherit', 'inherit'], ...identity })
writeSync(3, `${server.pid ?? ''}\n`)

const killAfter = 3_000
let stopping = false
let goodbye = false
const stop = (): void => {
  if (stopping) return
  stopping = true
  // What a test has stopped (SIGSTOP) hears nothing else, and PostgreSQL's processes would outlive their postmaster so.
  signalTree('SIGCONT')
  // A fast shutdown for PostgreSQL and an ordinary one for Redis.
  server.kill('SIGINT')
  setTimeout(() => signalTree('SIGKILL'), killAfter).unref()
}
const signalTree = (signal: NodeJS.Signals): void => {
  if (server.pid === undefined) return
  for (const processId of [server.pid, ...descendants(server.pid)]) sendSignal(processId, signal)
}

process.stdin
  .on('data', () => {
    goodbye = true
  })
  .on('error', stop)
  .on('end', stop)
  .on('close', stop)
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, stop)
server.on('error', (error) => {
  process.stderr.write(`${error.message}\n`)
  process.exit(127)
})
server.on('exit', (code, signal) => {
  if (stopping && !goodbye) {
    for (const folder of JSON.parse(temporaryFolders) as string[]) {
      rmSync(folder, { recursive: true, force: true })
    }
  }
  process.exit(signal === null ? (code ?? 1) : 128)
})
