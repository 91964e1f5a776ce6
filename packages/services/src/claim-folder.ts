import { execFileSync } from 'node:child_process'
import { existsSync, linkSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

/** Makes sure that only one process uses a folder. Returns how to let go of it; throws where another one has it. */
export function claimFolder(folder: string): () => void {
  const file = join(folder, 'running.pid')
  const own = `${file}.${process.pid}`
  writeFileSync(own, describe(process.pid))
  try {
    for (const isLastTry of [false, true]) {
      // A link appears with its content, and only where there is none.
      if (tryToLink(own, file)) return () => rmSync(file, { force: true })
      const found = read(file)
      if (isLastTry || isAlive(found)) {
        throw new Error(`it runs already (process ${Number.parseInt(found, 10)}): stop that first`)
      }
      removeStale(file, found)
    }
  } finally {
    rmSync(own, { force: true })
  }
  throw new Error('unreachable')
}

function tryToLink(from: string, to: string): boolean {
  try {
    linkSync(from, to)
    return true
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EEXIST') return false
    throw error
  }
}

/** Removes what a killed process has left, but not what another process has put there since we read it. */
function removeStale(file: string, found: string): void {
  const aside = `${file}.${process.pid}.stale`
  try {
    renameSync(file, aside)
  } catch {
    // Another process was quicker.
    return
  }
  if (read(aside) !== found) tryToLink(aside, file)
  rmSync(aside, { force: true })
}

const read = (file: string): string => (existsSync(file) ? readFileSync(file, 'utf8') : '')

const isAlive = (text: string): boolean => {
  const processId = Number.parseInt(text, 10)
  return processId > 0 && text === describe(processId)
}

/** A process id is given again, after a restart of the machine or of a container quite soon: when it began tells them apart. */
function describe(processId: number): string {
  return `${processId} ${beginning(processId)}`
}

function beginning(processId: number): string {
  try {
    if (existsSync('/proc/self/stat')) {
      const text = readFileSync(`/proc/${processId}/stat`, 'utf8')
      // Behind the name, which may hold anything: the state is field 3, the time of the start field 22.
      return text.slice(text.lastIndexOf(')') + 2).split(' ')[19] ?? ''
    }
    return execFileSync('ps', ['-p', String(processId), '-o', 'lstart='], { encoding: 'utf8' }).trim()
  } catch {
    return 'ended'
  }
}
