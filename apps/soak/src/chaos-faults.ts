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
import type { BackendName } from './soak-server.js'

/** Most of them short, since a fleet is to go through many, and a few as long as any. */
const mostlyShort =
  (low: number, high: number): DrawLength =>
  (random) =>
    Math.round(low * (high / low) ** (random.number() ** 2))

const ofEither = {
  'server killed': killServer((random) => random.between(0, random.pick([0, 500, 2_000]))),
  'server stopped': stopServer(mostlyShort(200, 5_000)),
  'link cut': cutLink,
  'link frozen': freezeLink(mostlyShort(500, 8_000)),
  'connections refused': refuseConnections(mostlyShort(300, 3_000)),
}

/** What each broker goes through while the other one lives, by the name of the kind. */
export const chaosFaults: Readonly<Record<BackendName, Readonly<Record<string, DrawFault>>>> = {
  redis: {
    ...ofEither,
    'normal connections killed': killConnections(() => 'normal'),
    'pubsub connections killed': killConnections(() => 'pubsub'),
  },
  postgres: {
    ...ofEither,
    'connections killed': killConnections(() => 'both'),
  },
}
