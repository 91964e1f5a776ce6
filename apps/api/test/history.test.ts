import { describe, expect, it } from 'vitest'
import { type ChannelRing, createHistory, frameOverhead } from '../src/history.js'

/** The data of everything that follows a place. */
const all = (ring: ChannelRing, cursor: number): unknown[] => {
  const found: unknown[] = []
  for (let frame = ring.next(cursor); frame !== undefined; frame = ring.next(frame.sequence)) {
    const text = frame.bytes.toString()
    found.push(text.includes('event: ps.gap') ? 'gap' : JSON.parse(text.split('data: ')[1] ?? ''))
  }
  return found
}

describe('the history of channels', () => {
  it('counts in one order over all channels', () => {
    const history = createHistory()
    const [one, other] = [history.openRing('one'), history.openRing('other')]
    const start = history.head
    one.add(1)
    other.add(2)
    one.add(3)
    expect(one.next(start)?.sequence).toBe(start + 1)
    expect(other.next(start)?.sequence).toBe(start + 2)
    expect(all(one, start)).toEqual([1, 3])
    expect(all(one, start + 1)).toEqual([3])
    expect(all(other, history.head)).toEqual([])
  })

  it('tells how much came after a place', () => {
    const history = createHistory({ maxFrames: 3 })
    const [one, other] = [history.openRing('one'), history.openRing('other')]
    const start = history.head
    const lengths = [one.add('first'), one.add('the second'), one.add(3)]
    other.add('not this one')
    expect(one.survey()(start)).toEqual({
      frames: 3,
      bytes: lengths.reduce((sum, length) => sum + length),
      first: start + 1,
    })
    expect(one.survey()(start + 2)).toEqual({ frames: 1, bytes: lengths[2], first: start + 3 })
    expect(one.survey()(history.head)).toEqual({ frames: 0, bytes: 0, first: undefined })
    one.add('the first is evicted')
    expect(one.survey()(start)).toMatchObject({ frames: 3, first: start + 2 })
  })

  it('knows its own ids and no others', () => {
    const [history, other] = [createHistory(), createHistory()]
    history.openRing('any').add(1)
    other.openRing('any').add(1)
    expect(history.cursorOf(history.idOf(history.head))).toBe(history.head)
    for (const id of [
      '',
      '.',
      '1',
      history.idOf(-1),
      history.idOf(history.head + 1),
      other.idOf(1),
      `${history.idOf(1)} `,
    ])
      expect([id, history.cursorOf(id)]).toEqual([id, undefined])
  })

  it('keeps so many frames of a channel, and has a gap for whoever wants older ones', () => {
    const history = createHistory({ maxFrames: 5_000 })
    const ring = history.openRing('any')
    const start = history.head
    for (let number = 0; number < 20_000; number += 1) ring.add(number)
    expect(history.frames).toBe(5_000)
    expect(ring.isWhole(start)).toBe(false)
    expect(all(ring, start)).toEqual(['gap', ...Array.from({ length: 5_000 }, (_, index) => 15_000 + index)])
    const last = history.head - 5_000
    expect(ring.isWhole(last)).toBe(true)
    expect(all(ring, last)).not.toContain('gap')
  })

  it('keeps so many bytes of a channel, and one message however long', () => {
    const history = createHistory({ maxChannelBytes: 10_000 })
    const ring = history.openRing('any')
    for (let number = 0; number < 1_000; number += 1) ring.add(number)
    expect(history.bytes).toBeLessThanOrEqual(10_000)
    expect(history.bytes).toBeGreaterThan(9_500)
    const before = history.head
    ring.add('x'.repeat(20_000))
    expect(history.frames).toBe(1)
    expect(all(ring, before)).toHaveLength(1)
  })

  it('forgets the oldest of all channels where there is too much, in which channel ever it is', () => {
    const history = createHistory({ maxBytes: 100 * (frameOverhead + 50) })
    const [busy, quiet] = [history.openRing('busy'), history.openRing('quiet')]
    const start = history.head
    for (let number = 0; number < 30; number += 1) quiet.add(number)
    expect(quiet.isWhole(start)).toBe(true)
    for (let number = 0; number < 200; number += 1) {
      busy.add(number)
      expect(history.bytes).toBeLessThanOrEqual(100 * (frameOverhead + 50))
    }
    expect(all(quiet, start)).toEqual(['gap'])
    expect(history.frames).toBeGreaterThan(80)
    // Whoever has heard the last of a quiet channel has missed nothing.
    expect(quiet.isWhole(start + 30)).toBe(true)
  })

  it('has a gap for whoever was told a place before it is certain that nothing is missing, and none until then', () => {
    const history = createHistory()
    history.openRing('other').add(1)
    const before = history.head
    const ring = history.openRing('any')
    expect(all(ring, before)).toEqual([])
    ring.add('early')
    const early = history.head
    expect(all(ring, before)).toEqual(['early'])
    ring.restart()
    for (const place of [before, early])
      expect([ring.isWhole(place), all(ring, place)]).toEqual([false, ['gap']])
    expect(all(ring, history.head)).toEqual([])
    expect(history.frames).toBe(1)
  })

  it('takes no room for a channel that is closed', () => {
    const history = createHistory()
    const ring = history.openRing('any')
    ring.add('text')
    ring.close()
    expect([history.frames, history.bytes]).toEqual([0, 0])
  })
})

// Short buffers share blocks of 8 kB, and one frame that is kept kept all of its block.
it('takes no more memory than it counts where a busy channel goes on beside a quiet one', () => {
  const history = createHistory({ maxFrames: 1_000 })
  const [quiet, busy] = [history.openRing('quiet'), history.openRing('busy')]
  for (let number = 0; number < 800; number += 1) {
    quiet.add({ channel: 'quiet', message: number })
    for (let more = 0; more < 30; more += 1) busy.add({ channel: 'busy', message: 'x'.repeat(200) })
  }
  const blocks = new Map<ArrayBufferLike, number>()
  for (const ring of [quiet, busy]) {
    let cursor = history.head
    // From the first that is kept.
    for (cursor = 0; !ring.isWhole(cursor); cursor += 1);
    for (let frame = ring.next(cursor); frame !== undefined; frame = ring.next(frame.sequence))
      blocks.set(frame.bytes.buffer, frame.bytes.buffer.byteLength)
  }
  const taken = [...blocks.values()].reduce((sum, length) => sum + length, 0)
  expect(history.frames).toBe(1_800)
  expect(taken).toBeLessThan(history.bytes)
})
