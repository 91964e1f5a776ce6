import { readFileSync } from 'node:fs'
import { descendants } from '@ps/services'

/** Linux counts in hundredths of a second. */
const tickMilliseconds = 10

/** The CPU that a server and its processes have used so far, in milliseconds; `undefined` where the system does not tell. */
export function serverCpu(processId: number): number | undefined {
  if (process.platform !== 'linux') return undefined
  return [processId, ...descendants(processId)].reduce((sum, one) => sum + cpuOf(one), 0)
}

function cpuOf(processId: number): number {
  try {
    const text = readFileSync(`/proc/${processId}/stat`, 'utf8')
    // Behind the name, which may hold anything: the state is field 3, user and system time are fields 14 and 15.
    const fields = text.slice(text.lastIndexOf(')') + 2).split(' ')
    return (Number(fields[11]) + Number(fields[12])) * tickMilliseconds
  } catch {
    // It has ended.
    return 0
  }
}
