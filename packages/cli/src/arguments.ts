import { parseArgs } from 'node:util'
import { CommandError } from './usage.js'

export interface Arguments {
  readonly command: string | undefined
  readonly operands: readonly string[]
  readonly backend: string | undefined
  readonly count: number | undefined
  /** In milliseconds. */
  readonly timeout: number | undefined
  /** The channel that `doctor` tries. */
  readonly channel: string | undefined
  readonly json: boolean
  readonly verbose: boolean
  readonly help: boolean
  readonly version: boolean
}

const operandsOf: Record<string, number> = { publish: 2, listen: 1, both: 0, doctor: 0 }
const optionsOf: Record<string, readonly string[]> = {
  publish: [],
  listen: ['count', 'timeout'],
  both: ['backend', 'count'],
  doctor: ['channel', 'json'],
}

/** The longest that a timer of Node.js waits, in seconds; a longer one would fire at once. */
const longestSeconds = Math.floor((2 ** 31 - 1) / 1_000)

/** Reads the command line; throws a CommandError that says what is wrong. */
export function readArguments(given: readonly string[]): Arguments {
  const { values, positionals } = parse(given)
  const [command, ...operands] = positionals
  if (command !== undefined && !values.help && !values.version) {
    const isKnown = Object.hasOwn(optionsOf, command)
    const [allowed, most] = isKnown ? [optionsOf[command], operandsOf[command]] : []
    if (allowed === undefined || most === undefined) {
      throw new CommandError(
        `there is no command ${JSON.stringify(command)}: use publish, listen, both or doctor`,
      )
    }
    const surplus = operands[most]
    if (surplus !== undefined) {
      throw new CommandError(
        `${command} takes at most ${most} arguments, not ${JSON.stringify(surplus)}: quote the JSON text`,
      )
    }
    for (const option of ['backend', 'count', 'timeout', 'channel', 'json'] as const) {
      if (values[option] !== undefined && !allowed.includes(option)) {
        throw new CommandError(`${command} has no option --${option}`)
      }
    }
  }
  return {
    command,
    operands,
    backend: values.backend,
    count: readNumber('count', values.count, /^[1-9]\d{0,6}$/, 'a whole number from 1'),
    timeout: readSeconds(values.timeout),
    channel: values.channel,
    json: values.json ?? false,
    verbose: values.verbose ?? false,
    help: values.help ?? false,
    version: values.version ?? false,
  }
}

function parse(given: readonly string[]) {
  try {
    return parseArgs({
      args: [...given],
      allowPositionals: true,
      options: {
        backend: { type: 'string' },
        count: { type: 'string' },
        timeout: { type: 'string' },
        channel: { type: 'string' },
        json: { type: 'boolean' },
        verbose: { type: 'boolean' },
        help: { type: 'boolean', short: 'h' },
        version: { type: 'boolean' },
      },
    })
  } catch (error) {
    const [line] = String(error instanceof Error ? error.message : error).split('\n')
    throw new CommandError(line ?? 'the arguments cannot be read')
  }
}

function readSeconds(text: string | undefined): number | undefined {
  const words = `seconds, at most ${longestSeconds}`
  const seconds = readNumber('timeout', text, /^\d{1,7}(\.\d{1,3})?$/, words)
  if (seconds !== undefined && seconds > longestSeconds)
    throw new CommandError(`--timeout is ${JSON.stringify(text)}: use ${words}`)
  return seconds === undefined ? undefined : seconds * 1_000
}

function readNumber(
  option: string,
  text: string | undefined,
  form: RegExp,
  words: string,
): number | undefined {
  if (text === undefined) return undefined
  if (!form.test(text)) throw new CommandError(`--${option} is ${JSON.stringify(text)}: use ${words}`)
  return Number(text)
}
