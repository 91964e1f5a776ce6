/** Reads a whole number; unset gives `otherwise`. Throws an error that says what to correct. */
export function readNumber(
  environment: NodeJS.ProcessEnv,
  name: string,
  otherwise: number,
  least: number,
  most: number,
): number {
  const text = environment[name]
  if (!text) return otherwise
  const number = /^\d+$/.test(text) ? Number(text) : Number.NaN
  if (number >= least && number <= most) return number
  throw new Error(`${name} is ${JSON.stringify(text)}: use a whole number from ${least} to ${most}`)
}

/** Reads `on` or `off`; unset is off. */
export function readSwitch(environment: NodeJS.ProcessEnv, name: string): boolean {
  const text = environment[name] || 'off'
  if (text === 'on' || text === 'off') return text === 'on'
  throw new Error(`${name} is ${JSON.stringify(text)}: use on or off`)
}

/** Entries separated by commas, without the white space around them. */
export const readList = (text = ''): string[] =>
  text
    .split(',')
    .map((entry) => entry.trim())
    .filter(Boolean)
