import {
  cutLink,
  type DrawFault,
  type DrawLength,
  freezeLink,
  killConnections,
  killServer,
  refuseConnections,
  stopServer,
} from './faults.js'

const between =
  (low: number, high: number): DrawLength =>
  (random) =>
    random.between(low, high)

/** What each backend of the soak goes through, by the name of the kind. */
export const soakFaults: Readonly<Record<string, DrawFault>> = {
  'server killed': killServer(between(0, 2_000)),
  'server stopped': stopServer(between(1_000, 5_000)),
  'connections killed': killConnections((random) => random.pick(['normal', 'pubsub', 'both'])),
  'link cut': cutLink,
  'link frozen': freezeLink(between(1_000, 8_000)),
  'connections refused': refuseConnections(between(1_000, 3_000)),
}
