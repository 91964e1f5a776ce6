import { createReadStream } from 'node:fs'
import { stat } from 'node:fs/promises'
import { basename, extname } from 'node:path'
import type { Readable } from 'node:stream'
import { parseArgs } from 'node:util'
import type { InputFormat } from '../job.js'
import { JobFailure } from '../job-failure.js'
import { profile } from '../jobs/profile.js'
import { runJob } from '../run-job.js'
import { createProgressBar } from './progress-bar.js'
import { profileTable } from './profile-table.js'
import { UsageError } from './usage.js'

const ndjsonExtensions = new Set(['.ndjson', '.jsonl', '.json'])
// What a shell reports of a program that SIGINT has ended.
const interruptedExitCode = 130
const defaultWidth = 80

/** `engine profile`: profiles one file and prints the result. Ctrl-C cancels. */
export async function profileCommand(given: readonly string[]): Promise<void> {
  const { file, format, json } = readArguments(given)
  const { input, totalBytes } = await openInput(file)
  const name = file === '-' ? 'standard input' : basename(file)
  const bar = process.stderr.isTTY ? createProgressBar(process.stderr, { totalBytes }) : undefined
  const cancel = new AbortController()
  const onInterrupt = (): void => cancel.abort()
  process.once('SIGINT', onInterrupt)
  try {
    const result = await runJob(profile, input, { format, signal: cancel.signal, onProgress: bar?.show })
    bar?.clear()
    const width = Math.max(process.stdout.columns ?? defaultWidth, defaultWidth)
    process.stdout.write(
      json ? `${JSON.stringify(result, null, 2)}\n` : profileTable(result, { name, width }),
    )
  } catch (error) {
    bar?.clear()
    if (cancel.signal.aborted) {
      process.stderr.write('cancelled\n')
      process.exitCode = interruptedExitCode
      return
    }
    throw error instanceof JobFailure ? new UsageError(`${name}: ${error.message}`) : error
  } finally {
    process.removeListener('SIGINT', onInterrupt)
    // Standard input that brings nothing would keep the process from ending.
    input.destroy()
  }
}

interface ProfileArguments {
  readonly file: string
  readonly format: InputFormat
  readonly json: boolean
}

function readArguments(given: readonly string[]): ProfileArguments {
  const { values, positionals } = parse(given)
  const [file, surplus] = positionals
  if (file === undefined)
    throw new UsageError('profile needs a file: engine profile <file>, or - for standard input')
  if (surplus !== undefined)
    throw new UsageError(`profile takes one file, not also ${JSON.stringify(surplus)}`)
  const { format = ndjsonExtensions.has(extname(file).toLowerCase()) ? 'ndjson' : 'csv' } = values
  if (format !== 'csv' && format !== 'ndjson') {
    throw new UsageError(`--format is ${JSON.stringify(format)}: use csv or ndjson`)
  }
  return { file, format, json: values.json ?? false }
}

function parse(given: readonly string[]) {
  try {
    return parseArgs({
      args: [...given],
      allowPositionals: true,
      options: { json: { type: 'boolean' }, format: { type: 'string' } },
    })
  } catch (error) {
    // The second sentence of Node's message is about operands that look like options.
    const [sentence = ''] = String(error instanceof Error ? error.message : error).split('. ')
    throw new UsageError(sentence)
  }
}

async function openInput(file: string): Promise<{ input: Readable; totalBytes: number | undefined }> {
  if (file === '-') return { input: process.stdin, totalBytes: undefined }
  const found = await stat(file).catch((error: NodeJS.ErrnoException) => {
    throw new UsageError(
      `${file} cannot be read: ${error.code === 'ENOENT' ? 'there is no such file' : error.message}`,
    )
  })
  if (found.isDirectory()) throw new UsageError(`${file} is a folder, not a file`)
  return { input: createReadStream(file), totalBytes: found.isFile() ? found.size : undefined }
}
