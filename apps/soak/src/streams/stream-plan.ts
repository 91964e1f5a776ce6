/** One kind of client, by what happens to it. */
export type ClientKind = 'regular' | 'stalling' | 'killed' | 'late'

export const clientKinds: readonly ClientKind[] = ['regular', 'stalling', 'killed', 'late']

export interface ChannelPlan {
  readonly name: string
  /** Messages a second. */
  readonly rate: number
  /** Characters of filler in each. */
  readonly size: number
  /** Published before it begins: as much as the api keeps, so that its memory is not what it still has to keep. */
  readonly before: number
}

export interface StreamPlan {
  readonly clients: Readonly<Record<ClientKind, number>>
  /** How many of the regular clients come back a second. */
  readonly returns: number
  readonly channels: readonly ChannelPlan[]
}

const news = Array.from(
  { length: 8 },
  (_, number): ChannelPlan => ({ name: `news-${number}`, rate: 10, size: 150, before: 10_500 }),
)
/** So much of it that a client that reads nothing is behind in seconds. */
export const heavy: ChannelPlan = { name: 'heavy', rate: 20, size: 20_000, before: 900 }
/** So many of them that a client that is away for long has missed more than is kept. */
export const fast: ChannelPlan = { name: 'fast', rate: 300, size: 100, before: 10_500 }

export const fullPlan: StreamPlan = {
  clients: { regular: 390, stalling: 50, killed: 50, late: 10 },
  returns: 50,
  channels: [...news, heavy, fast],
}
