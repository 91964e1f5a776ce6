import * as fc from 'fast-check'

/** Strings that some codec on the way may stumble over. */
const awkward = [
  '\0',
  '\u2028\u2029',
  '\uFEFF',
  '\uFFFD',
  '\uD83C',
  '\uDF0Dx',
  '\u007F\u0080\u009F',
  '\\',
  '\\u0000',
  '"',
  '$ps.part',
  '{"$ps.part":',
  '{ "$ps.part":',
  '__proto__',
  ' \t\r\n',
  '🌍é日',
]

/** Any sequence of UTF-16 code units, halves of surrogate pairs among them. */
const units = fc
  .array(fc.integer({ min: 0, max: 0xffff }), { maxLength: 20 })
  .map((codes) => String.fromCharCode(...codes))
const text = fc.oneof(units, fc.string({ unit: 'binary' }), fc.constantFrom(...awkward))

const keys = fc.oneof(
  fc.constantFrom('$ps.part', '$ps.escaped', '$ps', '__proto__', 'data', 'toJSON', ''),
  text,
)
const numbers = fc.oneof(
  fc.double({ noNaN: true, noDefaultInfinity: true }),
  fc.constantFrom(0, -0, 5e-324, Number.MAX_VALUE, Number.MAX_SAFE_INTEGER + 1, -1e21),
)

/** JSON texts as `JSON.stringify` makes them. Texts rather than values: an object literal cannot have every key. */
const { tree } = fc.letrec<{ tree: string; leaf: string; object: string; array: string }>((tie) => ({
  tree: fc.oneof({ maxDepth: 5, withCrossShrink: true }, tie('leaf'), tie('object'), tie('array')),
  leaf: fc.oneof(text, numbers, fc.constantFrom(true, false, null)).map((value) => JSON.stringify(value)),
  object: fc
    .array(fc.tuple(keys, tie('tree')), { maxLength: 5 })
    .map((entries) =>
      JSON.parse(`{${entries.map(([key, value]) => `${JSON.stringify(key)}:${value}`).join()}}`),
    )
    .map((value) => JSON.stringify(value)),
  array: fc.array(tie('tree'), { maxLength: 5 }).map((values) => `[${values.join()}]`),
}))

const deep = fc
  .tuple(
    fc.integer({ min: 1, max: 3_000 }),
    fc.constantFrom(['[', ']'], ['{"$ps.part":', '}'], ['{"":', '}']),
    tree,
  )
  .map(([depth, [open = '', close = ''], value]) => open.repeat(depth) + value + close.repeat(depth))

/** A payload has at most that many bytes, and so has a part. */
const limit = 7_999
/** How many bytes of a message one part carries. */
const slice = 5_958

/** JSON strings of a given length in bytes, lengths around the limits among them. */
const sized = (maxBytes: number): fc.Arbitrary<string> =>
  fc
    .tuple(
      fc.constantFrom('x', 'é', '日', '🌍', '\n', '"', 'é日🌍x'),
      fc.oneof(
        fc.integer({ min: limit - 9, max: limit + 9 }),
        fc
          .tuple(fc.integer({ min: 1, max: 4 }), fc.integer({ min: -9, max: 9 }))
          .map(([n, by]) => n * slice + by),
        fc.integer({ min: 2, max: maxBytes }),
      ),
    )
    .map(([character, bytes]) => {
      const width = Buffer.byteLength(JSON.stringify(character)) - 2
      const room = Math.min(bytes, maxBytes) - 2
      return JSON.stringify('-'.repeat(room % width) + character.repeat(Math.floor(room / width)))
    })

/** Any message as a client puts it on the wire, up to `maxBytes` (at least 30,000) long; most are short. */
export const jsonText = (maxBytes: number): fc.Arbitrary<string> =>
  fc.oneof(
    { arbitrary: tree, weight: 12 },
    { arbitrary: tree.map((value) => `{"$ps.part":${value}}`), weight: 2 },
    {
      arbitrary: fc.constantFrom(
        '{"$ps.part":["a",0,1],"data":"MQ=="}',
        '{"$ps.part":["a",0,2],"data":"MQ=="}',
      ),
      weight: 2,
    },
    { arbitrary: deep, weight: 1 },
    { arbitrary: sized(30_000), weight: 4 },
    { arbitrary: sized(maxBytes), weight: 1 },
  )

/** Every name of a channel that a client accepts: 1 to 255 bytes of UTF-8, no NUL, not beginning with `$ps`. */
export const channelName: fc.Arbitrary<string> = fc
  .oneof(
    fc.string({ unit: 'binary', minLength: 1, maxLength: 64 }),
    fc.string({ unit: 'grapheme', minLength: 1, maxLength: 64 }),
    fc
      .tuple(
        fc.constantFrom('x', 'é', '日', '🌍', '"', "'", '\\', '%', ' '),
        fc.integer({ min: 56, max: 255 }),
      )
      .map(([character, bytes]) => character.repeat(Math.floor(bytes / Buffer.byteLength(character)))),
    fc.string({ unit: 'binary-ascii', minLength: 55, maxLength: 70 }),
  )
  .filter(
    (name) =>
      name.isWellFormed() &&
      !name.includes('\0') &&
      !name.startsWith('$ps') &&
      Buffer.byteLength(name) <= 255,
  )

/** What a text means, with the order of its keys. */
export const meaning = (json: string): string => JSON.stringify(JSON.parse(json))
