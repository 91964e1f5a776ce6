import type { Socket } from 'node:net'

/** How long a server may be silent while something is expected of it, in milliseconds. */
export const muteMilliseconds = 4_000

/** What is said of a server that was silent for too long. */
export const muteError = (): Error =>
  Object.assign(new Error(`no answer within ${muteMilliseconds / 1_000} s`), { code: 'PS_MUTE' })

/** Calls `onSilence` once nothing has come from a socket for `milliseconds`. Returns how to stop that. */
export function watchSilence(socket: Socket, milliseconds: number, onSilence: () => void): () => void {
  let seen = socket.bytesRead
  let stopped = false
  const look = (): void => {
    if (stopped) return
    if (seen === socket.bytesRead) return onSilence()
    seen = socket.bytesRead
    timer = start()
  }
  // After a long block of this process timers run before the sockets are read: look only once they were.
  const start = (): NodeJS.Timeout => setTimeout(() => setImmediate(look), milliseconds)
  let timer = start()
  return () => {
    stopped = true
    clearTimeout(timer)
  }
}
