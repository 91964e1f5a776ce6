import { createRandom, mix } from './random.js'

const shortest = 10
const longest = 20_000
const letters = 'abcdefghijklmnopqrstuvwxyz 0123456789 "\\\n éß€'

const text = ((): string => {
  const random = createRandom(1)
  return Array.from({ length: longest + 1_000 }, () => letters[random.between(0, letters.length - 1)]).join(
    '',
  )
})()

/**
 * The filler of a message, the same wherever it is asked for: 10 to 20,000 characters, about 1,000 on average, most of
 * them far below.
 */
export function fillerOf(publisher: number, channel: number, sequence: number): string {
  const chance = mix(sequence * 64 + channel * 8 + publisher + 1) / 2 ** 32
  const size = Math.round(shortest * (longest / shortest) ** (chance ** 3))
  const from = sequence % 1_000
  return text.slice(from, from + size)
}
