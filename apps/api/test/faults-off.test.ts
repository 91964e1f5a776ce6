import { expect, inject, it } from 'vitest'
import { ownWorld, startApiProcess } from './api-process.js'
import { asJson } from './ask.js'

it('has no faults unless it is told to', async () => {
  const api = await startApiProcess(ownWorld(inject('postgresUrl')))
  try {
    expect((await api.ask('/v1/faults/cut', asJson({ stream: 'any' }))).status).toBe(404)
    expect((await api.ask('/v1/faults/drain', { method: 'POST' })).status).toBe(404)
    expect((await api.ask('/readyz')).json()).not.toHaveProperty('faults')
  } finally {
    await api.stop()
  }
})
