import * as fc from 'fast-check'

/** Any sequence of UTF-16 code units, halves of surrogate pairs among them. */
const units = fc
  .array(fc.integer({ min: 0, max: 0xffff }), { maxLength: 20 })
  .map((codes) => String.fromCharCode(...codes))

const short = fc.oneof(
  fc.json({ stringUnit: 'binary' }),
  units.map((text) => JSON.stringify(text)),
  fc.constantFrom(
    '"\\u0000"',
    '"\u2028"',
    '{"__proto__":{"$ps.part":["a",0,1]}}',
    '1e308',
    '"\r\n$3\r\nfoo\r\n"',
    ' 1 ',
  ),
)
const sized = (maxBytes: number): fc.Arbitrary<string> =>
  fc
    .tuple(fc.constantFrom('x', 'é', '日', '🌍', '\r\n'), fc.integer({ min: 2, max: maxBytes }))
    .map(([text, bytes]) =>
      JSON.stringify(text.repeat((bytes - 2) / Buffer.byteLength(JSON.stringify(text)))),
    )

/** Any message as a client puts it on the wire, up to 1 MiB long; most are short. */
export const jsonText: fc.Arbitrary<string> = fc.oneof(
  { arbitrary: short, weight: 16 },
  { arbitrary: sized(70_000), weight: 3 },
  { arbitrary: sized(1_024 * 1_024), weight: 1 },
)

/** Every name of a channel that a client accepts, some of them patterns to PSUBSCRIBE; at most 200 bytes long. */
export const channelName: fc.Arbitrary<string> = fc
  .oneof(
    fc.string({ unit: 'binary', minLength: 1, maxLength: 50 }),
    fc.string({ unit: 'grapheme', minLength: 1, maxLength: 50 }),
    fc.constantFrom('*', '[a-z]*', '?', '\r\n', ' ', '\uFEFF', '__keyspace@0__:x', '🌍'.repeat(50)),
  )
  .filter((name) => name.isWellFormed() && !name.includes('\0') && Buffer.byteLength(name) <= 200)
