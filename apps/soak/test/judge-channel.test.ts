import { expect, test } from 'vitest'
import { type ChannelRecord, heardCode, judgeChannel } from '../src/judge-channel.js'
import { gapMark } from '../src/messages.js'

const gap = 'gap'

/**
 * A channel whose messages are published one a millisecond, all of them at `outcomes`: a string of 1 (accepted) and 0 a
 * publisher. Each listener hears `[publisher, sequence]` or a gap, one a millisecond.
 */
function channel(
  outcomes: readonly string[],
  heard: readonly (typeof gap | [number, number])[][],
): ChannelRecord {
  return {
    publishers: outcomes.map((text) => {
      const accepted = Array.from(text, Number)
      const times = accepted.map((_, sequence) => sequence)
      return { accepted, started: times, settled: times }
    }),
    listeners: heard.map((items) => ({
      heard: items.map((item) => (item === gap ? gapMark : heardCode(item[0], item[1], outcomes.length))),
      gaps: items.flatMap((item, time) => (item === gap ? [{ since: time - 1, told: time }] : [])),
    })),
  }
}

/** What one publisher's messages became at one listener. */
const judge = (outcomes: string, ...heard: (number | typeof gap)[]) =>
  judgeChannel(channel([outcomes], [heard.map((item) => (item === gap ? gap : [0, item]))]))

const clean = {
  lostWithGap: 0,
  lostSilently: 0,
  doubled: 0,
  outOfOrder: 0,
  gaps: 0,
  falseGaps: 0,
  groundlessGaps: 0,
  lostWithGapBy: [0],
  findings: [],
  toldFindings: [],
}

test('a channel on which everything arrives once and in order is clean', () => {
  expect(judge('1111', 0, 1, 2, 3)).toEqual({
    ...clean,
    accepted: 4,
    refused: 0,
    neverSettled: 0,
    delivered: 4,
  })
})

test('an accepted message that is missing without a gap is lost silently', () => {
  expect(judge('1111', 0, 1, 3)).toMatchObject({ lostSilently: 1, lostWithGap: 0 })
})

test('accepted messages that are missing around a gap are lost with a gap', () => {
  expect(judge('11111', 0, gap, 3, 4)).toMatchObject({
    lostSilently: 0,
    lostWithGap: 2,
    gaps: 1,
    falseGaps: 0,
  })
})

test('a gap that is told after the next message explains nothing, and the finding says how late it was', () => {
  const judged = judge('11111', 0, 2, 3, gap, 4)
  expect(judged).toMatchObject({ lostSilently: 1, lostWithGap: 0 })
  expect(judged.findings).toEqual([expect.stringContaining('a gap was told 2 messages too late')])
})

test('a gap explains the messages missing next to it, and no others', () => {
  expect(judge('11111111', 0, gap, 2, 3, 6, 7)).toMatchObject({ lostSilently: 2, lostWithGap: 1 })
})

test('a gap stands for all publishers of its channel', () => {
  const heard: (typeof gap | [number, number])[] = [[0, 0], [1, 0], gap, [0, 2], [1, 2], [0, 3], [1, 3]]
  expect(judgeChannel(channel(['1111', '1111'], [heard]))).toMatchObject({ lostSilently: 0, lostWithGap: 2 })
})

test('a gap at one listener explains nothing that another one misses', () => {
  const judged = judgeChannel(
    channel(
      ['1111'],
      [
        [[0, 0], gap, [0, 2], [0, 3]],
        [
          [0, 0],
          [0, 2],
          [0, 3],
        ],
      ],
    ),
  )
  expect(judged).toMatchObject({ lostSilently: 1, lostWithGap: 1, delivered: 6 })
})

test('a message that was not accepted may be missing', () => {
  expect(judge('1011', 0, 2, 3)).toMatchObject({ lostSilently: 0, refused: 1, accepted: 3 })
})

test('a message that was not accepted may arrive', () => {
  expect(judge('1011', 0, 1, 2, 3)).toMatchObject({ ...clean, delivered: 4 })
})

test('a message that comes twice is doubled, whether it was accepted or not', () => {
  expect(judge('101', 0, 1, 1, 2, 0)).toMatchObject({ doubled: 2, outOfOrder: 0, lostSilently: 0 })
})

test('a message that comes after a later one is out of order, and not lost', () => {
  expect(judge('1111', 0, 2, 1, 3)).toMatchObject({ outOfOrder: 1, lostSilently: 0, doubled: 0 })
})

test('a gap that nobody has missed anything around is false', () => {
  expect(judge('1111', 0, 1, gap, 2, 3)).toMatchObject({ gaps: 1, falseGaps: 1 })
})

test('a gap is not false where another listener missed something then', () => {
  const judged = judgeChannel(
    channel(
      ['1111'],
      [
        [[0, 0], gap, [0, 1], [0, 2], [0, 3]],
        [[0, 0], gap, [0, 2], [0, 3]],
      ],
    ),
  )
  expect(judged).toMatchObject({ gaps: 2, falseGaps: 0, lostWithGap: 1 })
})

test('a gap is groundless where its own listener missed nothing, whatever another one missed', () => {
  const judged = judgeChannel(
    channel(
      ['1111'],
      [
        [[0, 0], gap, [0, 1], [0, 2], [0, 3]],
        [[0, 0], gap, [0, 2], [0, 3]],
      ],
    ),
  )
  expect(judged).toMatchObject({ gaps: 2, groundlessGaps: 1 })
})

test('a gap is groundless where only a message was missed that was not accepted', () => {
  expect(judge('1011', 0, gap, 2, 3)).toMatchObject({ gaps: 1, groundlessGaps: 1 })
})

test('a gap that stands elsewhere than the loss is groundless', () => {
  expect(judge('11111', 0, 2, gap, 3, 4)).toMatchObject({ lostSilently: 1, groundlessGaps: 1 })
})

test('a gap at the tail is not groundless where the very last message is missing', () => {
  expect(judge('1111', 0, 1, 2, gap)).toMatchObject({ lostSilently: 1, groundlessGaps: 0 })
})

test('what was lost with a gap is counted by publisher', () => {
  const heard: (typeof gap | [number, number])[] = [[0, 0], [1, 0], gap, [0, 3], [1, 2], [1, 3]]
  expect(judgeChannel(channel(['1111', '1111'], [heard]))).toMatchObject({ lostWithGapBy: [2, 1] })
})

test('accepted messages missing at the tail are lost silently', () => {
  expect(judge('1111', 0, 1)).toMatchObject({ lostSilently: 2 })
})

test('a gap at the tail does not explain that the very last message is missing', () => {
  expect(judge('1111', 0, 1, gap)).toMatchObject({ lostSilently: 1, lostWithGap: 1 })
})

test('a listener that heard nothing at all has lost everything silently', () => {
  expect(judge('111')).toMatchObject({ lostSilently: 3, delivered: 0 })
})

test('a publish that never settled is counted', () => {
  // The second of three left no outcome.
  const accepted = Object.assign([1], { 2: 1 })
  const publishers = [{ accepted, started: [0, 1, 2], settled: [0, 1, 2] }]
  expect(judgeChannel({ publishers, listeners: [] })).toMatchObject({ accepted: 2, neverSettled: 1 })
})
