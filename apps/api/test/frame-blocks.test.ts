import { expect, it } from 'vitest'
import { createFrameBlocks } from '../src/frame-blocks.js'

const texts = Array.from({ length: 3_000 }, (_, number) => `${number} ${'ü'.repeat(number % 300)}`)

it('keeps every frame as it was written, whatever comes behind it', () => {
  const blocks = createFrameBlocks()
  let kept = 0
  const frames = texts.map((text) => {
    const frame = blocks.write(text, kept)
    kept += frame.length
    return frame
  })
  expect(frames.map((frame) => frame.toString())).toEqual(texts)
})

it('lays short frames of a channel of which much is kept into few blocks, and gives a long one its own', () => {
  const blocks = createFrameBlocks()
  const short = texts.map((text) => blocks.write(text, 1024 ** 2).buffer)
  expect(new Set(short).size).toBeLessThan(30)
  const long = blocks.write('x'.repeat(20_000), 1024 ** 2)
  expect(long.buffer.byteLength).toBe(20_000)
  expect(short).not.toContain(long.buffer)
})

it('shares no block with anything else, and takes no more than a frame where little is kept', () => {
  const [one, other] = [createFrameBlocks(), createFrameBlocks()]
  for (const kept of [0, 100_000]) {
    const frames = [one.write('a', kept), other.write('b', kept), Buffer.from('c')]
    expect(new Set(frames.map(({ buffer }) => buffer)).size).toBe(3)
  }
  expect(createFrameBlocks().write('abc', 0).buffer.byteLength).toBe(3)
})
