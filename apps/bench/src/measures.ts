import type { Contestant } from './contestants.js'
import type { Measure, Scale } from './measure.js'
import type { Load } from './orders.js'

const inFlight = 1_000
/** Of a message in the latencies and in the fan-out. */
const shortBytes = 100
const throughputShows = ['perSecond', 'clientCpu', 'serverCpu']
const all = (): boolean => true
const isOurs = ({ kind }: Contestant): boolean => kind === 'ours'
const oursAndBase = ({ kind, base }: Contestant): boolean => kind === 'ours' || base === true
const oursAndRaw = ({ kind }: Contestant): boolean => kind === 'ours' || kind === 'raw'

/** Every measurement, in the order in which they run. */
export function listMeasures({ quick, rounds, milliseconds, messages }: Scale): readonly Measure[] {
  const few = quick ? oursAndRaw : all
  const one = { channels: 1, listeners: 1 }
  const flood = (bytes: number, most = inFlight): Load => ({
    milliseconds,
    inFlight: most,
    bytes,
    channels: 1,
  })
  const throughput = (bytes: number, title: string): Measure => ({
    name: `throughput-${bytes}`,
    group: 'throughput',
    title: `Throughput, ${title}, ${inFlight} publishes in flight`,
    figure: 'perSecond',
    shows: throughputShows,
    takes: bytes === shortBytes ? all : few,
    ...one,
    load: flood(bytes),
  })
  const large = (bytes: number, title: string, most: number): Measure => ({
    name: `large-${bytes}`,
    group: 'large',
    title: `Large messages, ${title}, ${most} publishes in flight`,
    figure: 'perSecond',
    shows: throughputShows,
    takes: isOurs,
    ...one,
    load: flood(bytes, most),
  })
  const latency = (rate: number): Measure => ({
    name: `latency-${rate}`,
    group: 'latency',
    title: `Latency at ${rate} messages/s`,
    figure: 'p50',
    shows: ['p50', 'p99', 'max', 'clientCpu', 'serverCpu'],
    takes: few,
    ...one,
    load: {
      milliseconds: quick || rate > 100 ? milliseconds : 2 * milliseconds,
      inFlight,
      rate,
      bytes: shortBytes,
      channels: 1,
    },
  })
  const listening = (channels: number): Measure => ({
    name: `listening-${channels}`,
    group: 'listening',
    title: `Throughput, 100 B, the listener listens to ${channels.toLocaleString('en-US')} channel${channels === 1 ? '' : 's, this the middle one'}`,
    figure: 'perSecond',
    shows: throughputShows,
    takes: oursAndBase,
    channels,
    listeners: 1,
    // Where a server looks for the channel in a list, the first one is found at once.
    load: { ...flood(shortBytes), firstChannel: Math.floor(channels / 2) },
    isLong: true,
    ...(channels >= 10_000 && { rounds: Math.min(3, rounds) }),
  })
  const cpu = (rate: number): Measure => ({
    name: `cpu-${rate}`,
    group: 'cpu',
    title: `CPU a message at ${rate.toLocaleString('en-US')} messages/s`,
    figure: 'clientCpu',
    shows: ['clientCpu', 'serverCpu', 'perSecond', 'p99'],
    takes: oursAndBase,
    ...one,
    load: { milliseconds: 2 * milliseconds, inFlight, rate, bytes: shortBytes, channels: 1 },
    isLong: true,
  })
  const fallback = (name: string, measure: Measure): Measure => ({
    ...measure,
    name,
    group: 'fallback',
    title: `${measure.title}: with and without a fallback`,
    takes: ({ kind, name: contestant }) => kind === 'ours' && contestant !== '@ps packed',
    isLong: true,
  })
  const alone: readonly Measure[] = [
    throughput(shortBytes, '100 B'),
    throughput(1_000, '1 kB'),
    throughput(7_000, '7 kB'),
    large(100_000, '100 kB', 80),
    large(1_000_000, '1 MB', 8),
    latency(100),
    latency(1_000),
    latency(5_000),
    {
      name: 'serial',
      group: 'serial',
      title: 'One publish at a time, each awaited',
      figure: 'perSecond',
      shows: ['perSecond', 'p50', 'p99', 'max'],
      takes: few,
      ...one,
      load: { milliseconds, inFlight: 1, bytes: shortBytes, channels: 1 },
    },
    {
      name: 'fan-out',
      group: 'fan-out',
      title: 'Fan-out: 100 channels, 10 listeners each',
      figure: 'deliveriesPerSecond',
      shows: ['deliveriesPerSecond', 'clientCpu', 'serverCpu'],
      takes: few,
      channels: 100,
      listeners: 10,
      load: { milliseconds, inFlight, bytes: shortBytes, channels: 100 },
    },
    {
      name: 'crowd',
      group: 'crowd',
      title: '1,000 listeners on one channel',
      figure: 'deliveriesPerSecond',
      shows: ['deliveriesPerSecond', 'clientCpu', 'serverCpu'],
      takes: oursAndBase,
      channels: 1,
      listeners: 1_000,
      // Publishing is so much faster than so many calls that by the clock most of it would be waiting for the listener.
      load: { ...flood(shortBytes), messages: 4 * milliseconds },
    },
    listening(1),
    listening(1_000),
    listening(10_000),
    cpu(2_000),
    cpu(20_000),
    {
      name: 'fleet',
      group: 'fleet',
      title: 'Throughput, 100 B, 50 other connections of the database listening',
      figure: 'perSecond',
      shows: throughputShows,
      takes: (contestant) => contestant.backend === 'postgres' && few(contestant),
      ...one,
      load: flood(shortBytes),
      bystanders: 50,
    },
    {
      name: 'channels',
      group: 'channels',
      title: '10,000 channels in one process',
      figure: 'subscribeMilliseconds',
      shows: ['subscribeMilliseconds', 'channelBytes'],
      takes: quick ? oursAndBase : all,
      channels: 10_000,
      listeners: 1,
      load: undefined,
      ...(quick && { rounds: 1 }),
    },
    {
      name: 'memory',
      group: 'memory',
      title: `Memory over ${messages.toLocaleString('en-US')} messages: after the first tenth → at the end`,
      figure: 'memoryGrowth',
      shows: [
        'memoryGrowth',
        'publisherFirst',
        'publisherLast',
        'publisherMost',
        'listenerFirst',
        'listenerLast',
        'listenerMost',
        'delivered',
        'perSecond',
      ],
      takes: isOurs,
      ...one,
      load: { ...flood(shortBytes), messages },
      showsMemory: true,
      rounds: 1,
    },
  ]
  return [
    ...alone.map((measure) => ({
      ...measure,
      takes: (contestant: Contestant) => contestant.standby === undefined && measure.takes(contestant),
    })),
    fallback('fallback', throughput(shortBytes, '100 B')),
    fallback('fallback-1000', throughput(1_000, '1 kB')),
    fallback('fallback-latency', latency(1_000)),
  ]
}
