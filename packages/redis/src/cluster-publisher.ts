import { retryDelay } from '@ps/core'
import type { ClusterNode } from './cluster-node.js'
import { isRedirect, isRefusal } from './failures.js'
import { slotOf } from './slot.js'

/** How often a message is sent that every node says is not its own. */
const maxAttempts = 5

/** Sends each message to the node that serves its channel's slot. */
export interface ClusterPublisher {
  /**
   * Resolves when a node has acknowledged it. What a node has refused because it does not serve the slot was certainly not sent, and goes to the
   * one that does; what is published on the slot meanwhile waits behind it. Rejects with what a node answered at last, with
   * the reason of a loss, or with what `refuse` was given.
   */
  publish(channel: string, payload: string): Promise<void>
  /** Sends what waits where its node is connected by now. */
  pump(): void
  /** Rejects what waits. */
  refuse(error: (channel: string) => Error): void
}

export interface ClusterPublisherOptions {
  readonly nodeOf: (slot: number) => ClusterNode | undefined
  /** Whether what a node refuses may wait for another. */
  readonly isReady: () => boolean
  /** A node refused a message. */
  readonly onRefused: (error: Error, node: ClusterNode) => void
}

interface Waiting {
  readonly order: number
  readonly channel: string
  readonly payload: string
  attempts: number
  readonly resolve: () => void
  readonly reject: (error: unknown) => void
}

/** What is under way on one slot. */
interface SlotLane {
  readonly slot: number
  inFlight: number
  /** In the order of the calls. */
  waiting: Waiting[]
  timer: NodeJS.Timeout | undefined
}

export function createClusterPublisher({
  nodeOf,
  isReady,
  onRefused,
}: ClusterPublisherOptions): ClusterPublisher {
  const lanes = new Map<number, SlotLane>()
  let order = 0

  const send = (lane: SlotLane, message: Waiting, node: ClusterNode): void => {
    const { publishing } = node
    if (publishing === undefined) throw new Error('unreachable')
    lane.inFlight += 1
    message.attempts += 1
    publishing.call('SPUBLISH', message.channel, message.payload).then(
      () => {
        message.resolve()
        landed(lane)
      },
      (error: unknown) => {
        if (isRedirect(error) && message.attempts < maxAttempts && isReady()) {
          lane.waiting.push(message)
          lane.waiting.sort((one, other) => one.order - other.order)
        } else {
          message.reject(error)
        }
        if (isRefusal(error)) onRefused(error, node)
        landed(lane)
      },
    )
  }

  /** Once nothing is in flight any more, what has come back is sent before anything else. */
  const landed = (lane: SlotLane): void => {
    lane.inFlight -= 1
    if (lane.inFlight > 0) return
    const [first] = lane.waiting
    if (first === undefined) {
      if (lanes.get(lane.slot) === lane) lanes.delete(lane.slot)
    } else if (first.attempts > 1) {
      // The one that has the slot may not know of it yet.
      lane.timer = setTimeout(() => {
        lane.timer = undefined
        sendWaiting(lane)
      }, retryDelay(first.attempts))
    } else {
      sendWaiting(lane)
    }
  }

  const sendWaiting = (lane: SlotLane): void => {
    if (lane.inFlight > 0 || lane.timer !== undefined) return
    const node = nodeOf(lane.slot)
    if (node?.publishing === undefined) return
    for (const message of lane.waiting.splice(0)) send(lane, message, node)
  }

  return {
    publish(channel, payload) {
      const slot = slotOf(channel)
      let lane = lanes.get(slot)
      if (lane === undefined) {
        lane = { slot, inFlight: 0, waiting: [], timer: undefined }
        lanes.set(slot, lane)
      }
      const under = lane
      return new Promise((resolve, reject) => {
        order += 1
        const message: Waiting = { order, channel, payload, attempts: 0, resolve, reject }
        const node = under.waiting.length === 0 ? nodeOf(slot) : undefined
        if (node?.publishing === undefined) under.waiting.push(message)
        else send(under, message, node)
      })
    },
    pump() {
      for (const lane of lanes.values()) sendWaiting(lane)
    },
    refuse(error) {
      for (const lane of lanes.values()) {
        clearTimeout(lane.timer)
        lane.timer = undefined
        for (const { channel, reject } of lane.waiting.splice(0)) reject(error(channel))
        if (lane.inFlight === 0) lanes.delete(lane.slot)
      }
    },
  }
}
