import { fileURLToPath } from 'node:url'
import { freePort, startRedis } from '@ps/services'
import { requireRedis, spawnProgram } from '@ps/services/vitest'
import { describe, expect, inject, it } from 'vitest'

const file = fileURLToPath(new URL('../dist/main.js', import.meta.url))

const runDoctor = async (environment: Record<string, string>) => {
  const program = spawnProgram(file, ['doctor'], { environment })
  const { code } = await program.exited
  return { code, stdout: program.stdout(), stderr: program.stderr() }
}

const travelOver = (backend: string, why: string): RegExp =>
  new RegExp(
    `^now: messages travel over ${backend}, since \\d{4}-\\d\\d-\\d\\dT[\\d:.]+Z, because ${why}`,
    'm',
  )

describe('where one broker stands behind another, doctor', () => {
  it('says over which messages travel now, since when and why, before, while and after the first is away', async (context) => {
    requireRedis(context)
    const redis = await startRedis()
    context.onTestFinished(redis.stop)
    const environment = {
      PUBSUB_BACKEND: 'redis',
      REDIS_URL: redis.url,
      DATABASE_URL: inject('postgresUrl'),
    }
    const whole = await runDoctor(environment)
    expect(whole.stdout).toMatch(travelOver('redis', 'it is the first choice\n'))
    expect(whole.stdout).toContain('where redis goes away postgres takes over, and redis again once')
    expect(whole.code).toBe(0)

    redis.kill('SIGKILL')
    const hurt = await runDoctor(environment)
    expect(hurt.stdout).toMatch(/^redis: NOT WELL: .*ECONNREFUSED/m)
    expect(hurt.stdout).toMatch(/^postgres: well;/m)
    expect(hurt.stdout).toMatch(travelOver('postgres', 'redis is unreachable: .*ECONNREFUSED'))
    expect(hurt.stdout).toContain('redis takes over again by itself once')
    expect(hurt.stderr).toContain('error: not well: redis\n')
    expect(hurt.code).toBe(1)

    await redis.restart()
    const mended = await runDoctor(environment)
    expect(mended.stdout).toMatch(travelOver('redis', 'it is the first choice\n'))
    expect(mended.code).toBe(0)
  })

  it('says it as well where redis stands behind postgres', async (context) => {
    const REDIS_URL = requireRedis(context)
    const environment = { PUBSUB_FALLBACK: 'redis', REDIS_URL }
    const whole = await runDoctor({ ...environment, DATABASE_URL: inject('postgresUrl') })
    expect(whole.stdout).toMatch(travelOver('postgres', 'it is the first choice\n'))
    expect(whole.code).toBe(0)
    const gone = `postgres://127.0.0.1:${await freePort()}/app`
    const hurt = await runDoctor({ ...environment, DATABASE_URL: gone })
    expect(hurt.stdout).toMatch(travelOver('redis', 'postgres is unreachable: .*ECONNREFUSED'))
    expect(hurt.code).toBe(1)
  })

  it('names no broker where none is there', async () => {
    const { code, stdout, stderr } = await runDoctor({
      PUBSUB_BACKEND: 'redis',
      REDIS_URL: `redis://127.0.0.1:${await freePort()}`,
      DATABASE_URL: `postgres://127.0.0.1:${await freePort()}/app`,
    })
    expect(stdout).not.toContain('now:')
    expect(stderr).toContain('error: not well: redis, postgres\n')
    expect(code).toBe(1)
  })
})
