import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type Program, requireRedis, spawnProgram, waitFor } from '@ps/services/vitest'
import { afterEach, describe, expect, inject, it } from 'vitest'
import { type ApiProcess, ownWorld, startApiProcess } from './api-process.js'
import { asCsv } from './ask.js'

const engineFile = fileURLToPath(new URL('../../engine/dist/main.js', import.meta.url))
const penguins = readFileSync(new URL('../../engine/test/fixtures/penguins.csv', import.meta.url))

describe('the api and an engine', () => {
  let api: ApiProcess
  const engines: Program[] = []
  const folders: string[] = []
  afterEach(async () => {
    await Promise.all(engines.splice(0).map((engine) => engine.stop()))
    await api.stop()
    for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true })
  })

  const startEngine = async (): Promise<Program> => {
    const folder = mkdtempSync(join(tmpdir(), 'ps-engine-'))
    folders.push(folder)
    const engine = spawnProgram(engineFile, [], {
      environment: { ...api.environment, ENGINE_DATA_DIR: folder },
    })
    engines.push(engine)
    await engine.waitForOutput(/ready for jobs/)
    return engine
  }
  const untilEnded = (id: string): Promise<Record<string, unknown>> =>
    waitFor(async () => {
      const job = (await api.ask(`/v1/jobs/${id}`)).json()
      return ['done', 'failed', 'cancelled'].includes(String(job.state)) ? job : undefined
    })

  const profilePenguins = async (): Promise<void> => {
    await startEngine()
    await waitFor(async () => (await api.ask('/v1/engines')).text !== '[]')
    const stream = await api.stream('jobs')
    await stream.untilEvent('ps.hello')
    const { id } = (await api.ask('/v1/jobs?name=penguins.csv', asCsv(penguins))).json()
    const job = await untilEnded(String(id))
    expect(job).toMatchObject({ state: 'done', rows: 344, rejected: 0, name: 'penguins.csv' })
    const columns = job.columns as { name: string; nulls: number }[]
    const nulls = Object.fromEntries(columns.map((column) => [column.name, column.nulls]))
    expect(nulls).toMatchObject({ body_mass_g: 2, sex: 11 })
    await stream.until(({ data }) => (data.message as { state?: string } | undefined)?.state === 'done')
    const states = stream.messages('jobs').map((message) => (message as { state: string }).state)
    expect([states[0], states.at(-1)]).toEqual(['queued', 'done'])
    stream.close()
  }

  it('profile a file over PostgreSQL', async () => {
    api = await startApiProcess(ownWorld(inject('postgresUrl')))
    await profilePenguins()
  })

  it('profile a file over Redis', async (context) => {
    const { PUBSUB_PREFIX = '' } = ownWorld('')
    api = await startApiProcess({ PUBSUB_BACKEND: 'redis', REDIS_URL: requireRedis(context), PUBSUB_PREFIX })
    await profilePenguins()
  })

  it('keep every rejected row', async () => {
    api = await startApiProcess(ownWorld(inject('postgresUrl')))
    await startEngine()
    await waitFor(async () => (await api.ask('/v1/engines')).text !== '[]')
    const lines = Array.from({ length: 3_000 }, (_, row) => (row % 2 === 0 ? `${row},1` : `${row}`))
    const { id } = (await api.ask('/v1/jobs', asCsv(['a,b', ...lines, ''].join('\n')))).json()
    const job = await untilEnded(String(id))
    expect(job).toMatchObject({ state: 'done', rows: 1_500, rejected: 1_500 })
    const rejects = (await api.ask(`/v1/jobs/${String(id)}/rejects`)).text.trimEnd().split('\n')
    expect(rejects).toHaveLength(1_500)
    expect(JSON.parse(rejects[0] ?? '')).toMatchObject({ line: 3, reason: expect.any(String) })
  })

  it('hold the job for lost when the engine is killed', async () => {
    api = await startApiProcess(ownWorld(inject('postgresUrl')))
    const engine = await startEngine()
    await waitFor(async () => (await api.ask('/v1/engines')).text !== '[]')
    const rows = '1,2\n'.repeat(20_000_000)
    const { id } = (await api.ask('/v1/jobs', asCsv(`a,b\n${rows}`))).json()
    await engine.stop('SIGKILL')
    await waitFor(async () => (await api.ask(`/v1/jobs/${String(id)}`)).json().state === 'lost')
    expect((await api.ask('/v1/engines')).text).toBe('[]')
  })
})
