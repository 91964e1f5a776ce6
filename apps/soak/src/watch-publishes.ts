import type { BackendModule, Settled } from '@ps/core'
import { isFleetChannel } from './messages.js'

/** What nobody sees behind the client. */
export interface PublishWatch {
  /** A payload of several messages goes out. */
  onPack(): void
  /** The backend's broker has acknowledged a payload of the fleet. */
  onAcknowledged(backend: string): void
}

/** The same backend; `watch` is told what is published on it. */
export const watchPublishes = ({ createBackend }: BackendModule, watch: PublishWatch): BackendModule => ({
  createBackend(options) {
    const backend = createBackend(options)
    return {
      ...backend,
      async publish(channel, payload) {
        if (payload.startsWith('{"$ps.pack":[')) watch.onPack()
        await backend.publish(channel, payload)
        if (isFleetChannel(channel)) watch.onAcknowledged(backend.name)
      },
      send:
        backend.send &&
        ((channel, payload, settled, ticket) => {
          if (payload.startsWith('{"$ps.pack":[')) watch.onPack()
          const watched: Settled = (_, error) => {
            if (error === undefined && isFleetChannel(channel)) watch.onAcknowledged(backend.name)
            settled(ticket, error)
          }
          backend.send?.(channel, payload, watched, undefined)
        }),
    }
  },
})
