import { readFileSync } from 'node:fs'

/** How a process is, in the letter of `ps`: `T` is a stopped one. */
export function processState(processId: number): string {
  try {
    const text = readFileSync(`/proc/${processId}/stat`, 'utf8')
    // Behind the name, which may hold anything.
    return text.slice(text.lastIndexOf(')') + 2)[0] ?? ''
  } catch {
    return 'unknown: there is no /proc for it'
  }
}
