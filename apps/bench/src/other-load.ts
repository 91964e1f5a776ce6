import { readFileSync } from 'node:fs'
import { cpus } from 'node:os'
import { descendants } from '@ps/services'

/** Begins to watch. The function returned tells which share of the machine, 0 to 1, others have used since; on Linux only. */
export function watchOtherLoad(): () => number | undefined {
  if (process.platform !== 'linux') return () => undefined
  const busy = busyTicks()
  const own = ownTicks()
  const begun = performance.now()
  return () => {
    const passed = ((performance.now() - begun) / 10) * cpus().length
    return Math.max(0, (busyTicks() - busy - (ownTicks() - own)) / passed)
  }
}

/** Of all processors, in hundredths of a second. */
function busyTicks(): number {
  const [user = 0, nice = 0, system = 0, , , interrupts = 0, soft = 0, stolen = 0] = (
    readFileSync('/proc/stat', 'utf8').split('\n')[0] ?? ''
  )
    .split(/\s+/)
    .slice(1)
    .map(Number)
  return user + nice + system + interrupts + soft + stolen
}

/** Of this process and those below it, also of those that have ended. */
function ownTicks(): number {
  return [process.pid, ...descendants(process.pid)].reduce((sum, one) => {
    try {
      const text = readFileSync(`/proc/${one}/stat`, 'utf8')
      const fields = text.slice(text.lastIndexOf(')') + 2).split(' ')
      return sum + fields.slice(11, 15).reduce((ticks, field) => ticks + Number(field), 0)
    } catch {
      return sum
    }
  }, 0)
}
