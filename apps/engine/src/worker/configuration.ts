import { randomUUID } from 'node:crypto'
import { hostname, tmpdir } from 'node:os'
import { join } from 'node:path'
import { isEngineId, readAllowedSources } from '@ps/jobs'

export interface WorkerConfiguration {
  /** Its name among the engines. Default: `ENGINE_ID`, else the host's name and a random suffix. */
  readonly id: string
  readonly host: string
  /** How many jobs run at once. Default: `ENGINE_CONCURRENCY`, else 2. */
  readonly concurrency: number
  /** Where rejected rows are written while a job runs. Default: `ENGINE_DATA_DIR`, else a folder in the system's temporary folder. */
  readonly dataFolder: string
  /** `host` or `host:port` of sources that may stand at private addresses. Default: `JOB_SOURCE_ALLOW`, else none. */
  readonly allowedSources: readonly string[]
  /** Default: `LOG_LEVEL`, else `info`. */
  readonly logLevel: string
}

const logLevels = ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent']

/** Reads the environment; throws an error that says what to correct. */
export function readWorkerConfiguration(environment: NodeJS.ProcessEnv): WorkerConfiguration {
  const host = hostname()
  const concurrency = environment.ENGINE_CONCURRENCY || '2'
  if (!/^[1-9]\d{0,2}$/.test(concurrency)) {
    throw new Error(`ENGINE_CONCURRENCY is ${JSON.stringify(concurrency)}: use a whole number from 1 to 999`)
  }
  const id = environment.ENGINE_ID || `${host}-${randomUUID().slice(0, 8)}`
  if (!isEngineId(id)) {
    throw new Error(
      `ENGINE_ID is ${JSON.stringify(id)}: use 1 to 100 letters, digits, dots, hyphens and underscores`,
    )
  }
  const logLevel = environment.LOG_LEVEL || 'info'
  if (!logLevels.includes(logLevel)) {
    throw new Error(`LOG_LEVEL is ${JSON.stringify(logLevel)}: use one of ${logLevels.join(', ')}`)
  }
  return {
    id,
    host,
    concurrency: Number(concurrency),
    dataFolder: environment.ENGINE_DATA_DIR || join(tmpdir(), 'ps-engine'),
    allowedSources: readAllowedSources(environment.JOB_SOURCE_ALLOW),
    logLevel,
  }
}
