/** What every program here takes on its command line, for `parseArgs`. */
export const commonOptions = {
  minutes: { type: 'string' },
  seed: { type: 'string' },
  help: { type: 'boolean', short: 'h' },
} as const

/** For how long a program runs, and what decides its chances. */
export interface RunOptions {
  readonly minutes: number
  readonly seed: number
}

export const misuse = (usage: string): Error => new Error(`use it so: ${usage}`)

/** Throws the usage where one of them is of no use. Without a seed it is another one each time. */
export function readRunOptions(
  given: { readonly minutes?: string | undefined; readonly seed?: string | undefined },
  usage: string,
): RunOptions {
  const minutes = Number(given.minutes)
  const seed = given.seed === undefined ? Date.now() % 1_000_000 : Number(given.seed)
  if (!(minutes > 0) || !Number.isInteger(seed)) throw misuse(usage)
  return { minutes, seed }
}

export const reportProgress = (line: string): void => void process.stderr.write(`${line}\n`)
