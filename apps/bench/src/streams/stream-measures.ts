import type { Scale } from '../measure.js'
import type { Measurement } from '../results.js'
import type { StreamLoad } from './stream-load.js'

/** Work that every server of event streams is given alike. */
export interface StreamMeasure extends Pick<Measurement, 'name' | 'title' | 'figure' | 'shows'> {
  readonly streams: number
  readonly rounds: number
  /** What is done with the streams. */
  readonly work:
    | { readonly kind: 'idle' }
    | { readonly kind: 'deliver'; readonly load: StreamLoad }
    /** A tenth of the clients is cut after another, with so many messages after each. */
    | { readonly kind: 'storm'; readonly missed: number }
}

export function listStreamMeasures({ quick, rounds, milliseconds }: Scale): readonly StreamMeasure[] {
  const count = (streams: number): string => streams.toLocaleString('en-US')
  const deliver = (streams: number, together: number, perSecond: number): StreamMeasure => {
    const messages = Math.max(together, Math.round((3 * milliseconds * perSecond) / 1_000))
    const burst = together === 1 ? '' : ` by ${together}`
    return {
      name: `streams-${streams}${together === 1 ? '' : '-burst'}`,
      title: `Event streams: ${count(streams)} client${streams === 1 ? '' : 's'}, ${count(perSecond)} messages/s of 240 B${burst}`,
      figure: 'deliveriesPerCpuSecond',
      shows: ['deliveriesPerCpuSecond', 'deliveriesPerSecond'],
      streams,
      rounds: Math.min(5, rounds),
      work: { kind: 'deliver', load: { messages, together, interval: (1_000 * together) / perSecond } },
    }
  }
  const idle = quick ? 1_000 : 10_000
  const storm = quick ? 500 : 5_000
  return [
    deliver(1, 1, 1_000),
    deliver(100, 1, 200),
    deliver(2_000, 1, 10),
    deliver(2_000, 10, 30),
    {
      name: 'streams-idle',
      title: `Event streams: ${count(idle)} open`,
      figure: 'streamResident',
      shows: ['streamResident', 'streamLive', 'openMilliseconds'],
      streams: idle,
      rounds: Math.min(3, rounds),
      work: { kind: 'idle' },
    },
    {
      name: 'streams-storm',
      title: `Event streams: ${count(storm)} clients come back at once, after up to 200 messages`,
      figure: 'extraMegabytes',
      shows: [
        'extraMegabytes',
        'openMilliseconds',
        'replayMilliseconds',
        'replayed',
        'brokerKilobytes',
        'stormCpu',
      ],
      streams: storm,
      rounds: Math.min(3, rounds),
      work: { kind: 'storm', missed: 200 },
    },
  ]
}
