import type { Socket } from 'node:net'

/** What is wrong with the links of a proxy now. */
export interface LinkFaults {
  frozen: boolean
  trickling: boolean
  /** In milliseconds. */
  delay: number
  /** Bytes that came while frozen. */
  heldBytes: number
}

/** So many bytes are taken and not passed on; the rest waits with its sender. */
const maxWaitingBytes = 64 * 1_024

interface Waiting {
  /** What is left to pass on, or the end to pass on. */
  next: Buffer | (() => void)
  /** When it came, in milliseconds. */
  readonly since: number
}

/** One direction of a link: passes on what comes from one socket to the other, ends and losses too, under the faults of the moment. */
export function createLane(from: Socket, to: Socket, faults: LinkFaults): { wake(): void } {
  const waiting: Waiting[] = []
  let waitingBytes = 0
  let isWriting = false
  let timer: NodeJS.Timeout | undefined

  const move = (): void => {
    clearTimeout(timer)
    const [first] = waiting
    if (isWriting || faults.frozen || first === undefined) return
    const early = first.since + faults.delay - performance.now()
    if (early > 0) {
      timer = setTimeout(move, early)
      return
    }
    if (!Buffer.isBuffer(first.next)) {
      waiting.shift()
      first.next()
      return move()
    }
    const bytes = faults.trickling ? first.next.subarray(0, 1) : first.next
    first.next = first.next.subarray(bytes.length)
    if (first.next.length === 0) waiting.shift()
    waitingBytes -= bytes.length
    if (waitingBytes <= maxWaitingBytes) from.resume()
    isWriting = true
    to.write(bytes, () => {
      isWriting = false
      // A turn of the event loop between them keeps the system from putting bytes together.
      if (faults.trickling) setImmediate(move)
      else move()
    })
  }

  const push = (next: Waiting['next']): void => {
    waiting.push({ next, since: performance.now() })
    move()
  }

  from
    .on('data', (bytes: Buffer) => {
      if (faults.frozen) faults.heldBytes += bytes.length
      waitingBytes += bytes.length
      if (waitingBytes > maxWaitingBytes) from.pause()
      push(bytes)
    })
    .on('end', () => push(() => to.end()))
    .on('close', () => push(() => to.destroy()))
    // A close follows.
    .on('error', () => {})
  return { wake: move }
}
