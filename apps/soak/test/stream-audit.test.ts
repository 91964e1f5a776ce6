import { expect, test } from 'vitest'
import { createStreamAudit, type StreamCounts } from '../src/streams/stream-audit.js'
import type { ClientKind } from '../src/streams/stream-plan.js'

const gap = 'gap'
const cut = 'cut'

/** What is counted for a client that sees this of one channel, of which 10 messages are published after its stream begins. */
function audit(
  seen: readonly (number | typeof gap | typeof cut)[],
  kind: ClientKind = 'regular',
): StreamCounts {
  let published = 0
  const { counts, client } = createStreamAudit(() => published)
  const own = client(kind, ['a'])
  let id = 0
  const hear = (event: string, data: Record<string, unknown>, hasId = true): void => {
    id += 1
    own.hear({ id: hasId ? `e.${id}` : undefined, event, data: { channel: 'a', ...data } })
  }
  const begin = (resumed: string, resumes: boolean): void => {
    own.begin(resumes)
    hear('ps.hello', { live: true, resumed }, false)
  }
  begin('none', false)
  published = 10
  for (const item of seen) {
    if (item === gap) hear('ps.gap', { reason: 'x' })
    else if (item === cut) begin('full', true)
    else hear('message', { message: { sequence: item } })
  }
  own.finish()
  return counts
}

const all = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]
const clean = { lost: 0, doubled: 0, disordered: 0, gaps: 0, groundlessGaps: 0, missedWithGap: 0, notFull: 0 }

test('a client that has everything once is clean, however often it was cut', () => {
  expect(audit(all)).toMatchObject({ ...clean, messages: 10 })
  const resumed = audit([0, 1, cut, 2, 3, 4, cut, cut, 5, 6, 7, 8, 9])
  expect(resumed).toMatchObject({ ...clean, messages: 10, resumed: { full: 3, partial: 0, none: 0 } })
})

test('what is missing is lost: at the beginning, in between, after a cut, and at the end', () => {
  expect(audit(all.slice(1))).toMatchObject({ ...clean, lost: 1 })
  expect(audit([0, 1, 4, 5, 6, 7, 8, 9])).toMatchObject({ ...clean, lost: 2 })
  expect(audit([0, 1, cut, 3, 4, 5, 6, 7, 8, 9])).toMatchObject({ ...clean, lost: 1 })
  expect(audit(all.slice(0, 7))).toMatchObject({ ...clean, lost: 3 })
  expect(audit([])).toMatchObject({ ...clean, lost: 10 })
})

test('what comes again is doubled', () => {
  expect(audit([0, 1, 1, ...all.slice(2)])).toMatchObject({ ...clean, doubled: 1 })
  expect(audit([0, 1, 2, cut, 1, 2, ...all.slice(3)])).toMatchObject({ ...clean, doubled: 2 })
})

test('a gap accounts for what is missing there and nowhere else', () => {
  expect(audit([0, 1, gap, 5, 6, 7, 8, 9], 'late')).toMatchObject({ ...clean, gaps: 1, missedWithGap: 3 })
  expect(audit([0, 1, gap, 5, 6, 9], 'late')).toMatchObject({ ...clean, gaps: 1, missedWithGap: 3, lost: 2 })
  expect(audit([...all.slice(0, 8), gap], 'late')).toMatchObject({ ...clean, gaps: 1, missedWithGap: 2 })
})

test('a gap where nothing is missing is groundless, and one told to who was not away for long is needless', () => {
  expect(audit([0, 1, gap, ...all.slice(2)], 'late')).toMatchObject({
    gaps: 1,
    groundlessGaps: 1,
    needlessGaps: 0,
  })
  expect(audit([...all, gap], 'late')).toMatchObject({ gaps: 1, groundlessGaps: 1 })
  expect(audit([0, gap, ...all.slice(5)])).toMatchObject({ gaps: 1, needlessGaps: 1, groundlessGaps: 0 })
})

test('an id that does not rise is seen, a new epoch may begin anywhere', () => {
  const { counts, client } = createStreamAudit(() => 3)
  const own = client('regular', ['a'])
  own.begin(false)
  own.hear({ id: 'e.5', event: 'ps.hello', data: { live: true, resumed: 'none' } })
  for (const [id, sequence] of [
    ['e.6', 3],
    ['e.6', 4],
    ['f.1', 5],
    ['f.1', 6],
  ] as const)
    own.hear({ id, event: 'message', data: { channel: 'a', message: { sequence } } })
  expect(counts.disordered).toBe(2)
})

test('a stream that is not live, or that begins anew for who was not away for long, is counted', () => {
  const { counts, client } = createStreamAudit(() => 0)
  const own = client('killed', ['a'])
  own.begin(true)
  own.hear({ id: undefined, event: 'ps.hello', data: { live: false, resumed: 'none' } })
  expect(counts).toMatchObject({ notLive: 1, notFull: 1, resumed: { full: 0, partial: 0, none: 1 } })
})
