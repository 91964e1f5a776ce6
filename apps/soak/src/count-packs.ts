import type { BackendModule } from '@ps/core'

/** The same backend; `onPack` is told of every payload of several messages, which nobody sees behind the client. */
export const countPacks = ({ createBackend }: BackendModule, onPack: () => void): BackendModule => ({
  createBackend(options) {
    const backend = createBackend(options)
    return {
      ...backend,
      publish(channel, payload) {
        if (payload.startsWith('{"$ps.pack":[')) onPack()
        return backend.publish(channel, payload)
      },
    }
  },
})
