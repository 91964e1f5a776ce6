import { deflateSync, gzipSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import { textSlices } from '../src/profile/text-slices.js'
import { chunksOf } from './support/run-profile.js'

async function sliced(input: string | Uint8Array, chunkBytes = Number.POSITIVE_INFINITY) {
  const slices: { text: string; end: number }[] = []
  for await (const { bytes, end } of textSlices(chunksOf(input, chunkBytes), new AbortController().signal)) {
    slices.push({ text: bytes.toString(), end })
  }
  return slices
}

const png = Buffer.concat([
  Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a, 0, 0, 0, 0x0d]),
  deflateSync('pixels'),
])

describe('slices of text', () => {
  it.each([1, 2, 3, 4, 5, 7])('cut no character in two when chunks have %i bytes', async (chunkBytes) => {
    const text = 'aé€🐧'.repeat(20)
    const slices = await sliced(text, chunkBytes)
    expect(slices.map((slice) => slice.text).join('')).toBe(text)
    expect(slices.every((slice) => !slice.text.includes('\uFFFD'))).toBe(true)
    expect(slices.at(-1)?.end).toBe(Buffer.byteLength(text))
  })

  it('have at most 64 KiB, however large a chunk is', async () => {
    const slices = await sliced('x'.repeat(1_000_000))
    expect(Math.max(...slices.map((slice) => slice.text.length))).toBe(64 * 1024)
  })

  it.each([1, 2, 3, 4, 100])('have no byte order mark when chunks have %i bytes', async (chunkBytes) => {
    const slices = await sliced('\uFEFFab\uFEFF', chunkBytes)
    expect(slices.map((slice) => slice.text).join('')).toBe('ab\uFEFF')
    expect(slices.at(-1)?.end).toBe(8)
  })

  it.each([
    ['a NUL byte', Buffer.from('a,b\n1,2\n1,2\0'), 'this is not text: a NUL byte at byte 12'],
    ['a PNG image', png, 'this is a PNG image, not text'],
    ['gzip data', gzipSync('a,b\n'), 'this is gzip data, not text: decompress it first'],
    [
      'an Excel workbook',
      Buffer.from('PK\u0003\u0004…'),
      'this is a ZIP archive (an Excel workbook, perhaps), not text: export it as CSV first',
    ],
    ['UTF-16', Buffer.from('\uFEFFa,b', 'utf16le'), 'this is UTF-16 text: save it as UTF-8 first'],
    [
      'Latin-1',
      Buffer.from('caf\u00E9,b\n', 'latin1'),
      'this is not UTF-8 text: byte 4 belongs to no character. Save it as UTF-8 first',
    ],
    [
      'half a character at the end',
      Buffer.from([0x61, 0x62, 0x63, 0xe2, 0x82]),
      'this is not UTF-8 text: byte 4 belongs to no character. Save it as UTF-8 first',
    ],
  ])('are refused to %s, with the place, wherever it is cut', async (_, bytes, message) => {
    for (const chunkBytes of [1, 2, 3, 5, 100]) {
      await expect(sliced(bytes, chunkBytes)).rejects.toThrow(message)
    }
  })

  it('are refused to what is no text far behind the beginning', async () => {
    const text = Buffer.from('é'.repeat(100_000))
    await expect(sliced(Buffer.concat([text, Buffer.from([0xe9, 0x20])]))).rejects.toThrow(
      'byte 200001 belongs',
    )
    await expect(sliced(Buffer.concat([text, Buffer.from([0])]))).rejects.toThrow('a NUL byte at byte 200001')
  })
})
