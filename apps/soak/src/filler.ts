import { createRandom, mix } from './random.js'

/** How long the fillers of a fleet are, in characters. */
export interface FillerSizes {
  /** The longest of nearly all. The mean of these is about a twentieth of it. */
  readonly usual: number
  /** The longest of the few beyond; `usual` where there are none. At most 100,000. */
  readonly longest: number
}

const shortest = 10
/** One in so many is longer than usual. */
const rarity = 128
const offsets = 1_000
const letters = 'abcdefghijklmnopqrstuvwxyz 0123456789 "\\\n éß€'

const text = ((): string => {
  const random = createRandom(1)
  const length = 100_000 + offsets
  return Array.from({ length }, () => letters[random.between(0, letters.length - 1)]).join('')
})()

/** The filler of a message, the same wherever it is asked for: most of them are far below the mean. */
export function fillerOf(
  { usual, longest }: FillerSizes,
  publisher: number,
  channel: number,
  sequence: number,
): string {
  const chance = mix(sequence * 64 + channel * 8 + publisher + 1) / 2 ** 32
  const isRare = longest > usual && mix(sequence * 64 + channel + publisher * 32) % rarity === 0
  const size = isRare ? usual * (longest / usual) ** chance : shortest * (usual / shortest) ** (chance ** 3)
  const from = sequence % offsets
  return text.slice(from, from + Math.round(size))
}
