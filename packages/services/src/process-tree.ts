import { execFileSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync } from 'node:fs'

/** The ids of all processes below `processId`, children before grandchildren. */
export function descendants(processId: number): number[] {
  const parents = existsSync('/proc/self/stat') ? readProc() : askPs()
  const found: number[] = []
  let level = [processId]
  while (level.length > 0) {
    level = parents.filter(([, parent]) => level.includes(parent)).map(([child]) => child)
    found.push(...level)
  }
  return found
}

function readProc(): [child: number, parent: number][] {
  const pairs: [number, number][] = []
  for (const name of readdirSync('/proc')) {
    if (!/^\d+$/.test(name)) continue
    try {
      // `id (name) state parent …`; the name may hold anything, also parentheses.
      const text = readFileSync(`/proc/${name}/stat`, 'utf8')
      pairs.push([
        Number(name),
        Number(
          text
            .slice(text.lastIndexOf(')') + 1)
            .trim()
            .split(' ')[1],
        ),
      ])
    } catch {
      // It has ended meanwhile.
    }
  }
  return pairs
}

function askPs(): [child: number, parent: number][] {
  const rows = execFileSync('ps', ['-A', '-o', 'pid=,ppid='], { encoding: 'utf8' }).trim().split('\n')
  return rows.map((row) => {
    const [child = 0, parent = 0] = row.trim().split(/\s+/).map(Number)
    return [child, parent]
  })
}
