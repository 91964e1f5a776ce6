import { expect, test } from 'vitest'
import { waitFor } from '@ps/services/vitest'
import { createGapLog, type GapState } from '../dashboard/gaps.js'

test('what is reported before it is mended counts once, and is mended by a fetch that began after it', async () => {
  const states: GapState[] = []
  const finish: (() => void)[] = []
  const log = createGapLog({
    refetch: () => new Promise((resolve) => finish.push(resolve)),
    onChange: (state) => states.push(state),
  })
  log.report('the stream was interrupted')
  log.report('the broker was away')
  expect(log.state).toMatchObject({ count: 1, last: { reason: 'the stream was interrupted' } })
  finish[0]?.()
  await waitFor(() => finish.length === 2)
  expect(log.state.last).not.toHaveProperty('mendedAt')
  finish[1]?.()
  await waitFor(() => log.state.last?.mendedAt !== undefined)
  log.report('again')
  expect(log.state).toMatchObject({ count: 2, last: { reason: 'again' } })
})

test('a fetch that fails is tried again', async () => {
  let attempts = 0
  const log = createGapLog({
    refetch: async () => {
      attempts += 1
      if (attempts === 1) throw new Error('the server is away')
    },
    onChange: () => undefined,
  })
  log.report('the stream was interrupted')
  await waitFor(() => log.state.last?.mendedAt !== undefined)
  expect(attempts).toBe(2)
})
