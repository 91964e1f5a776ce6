import { retryDelay } from '@ps/core'
import type { ClusterNode } from './cluster-node.js'
import type { CommandConnection } from './connection.js'
import { isForbidden, isRedirect, isRefusal } from './failures.js'
import { slotOf } from './slot.js'

/** How many nodes in a row may say that a slot is not theirs before what is published on it is given up. */
const maxRefusals = 5

/** Sends each message to the node that serves its channel's slot. */
export interface ClusterPublisher {
  /**
   * Resolves when a node has acknowledged it. What a node has refused because it does not serve the slot was certainly not
   * sent, and goes to the one that does; what is published on the slot meanwhile waits behind it. Rejects with what a node
   * answered at last, with the reason of a loss, or with what `refuse` was given.
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

interface Message {
  readonly channel: string
  readonly payload: string
  readonly resolve: () => void
  readonly reject: (error: unknown) => void
}

/** What is under way on one slot. All of it is on one connection: two could not keep the order. */
interface SlotLane {
  readonly slot: number
  connection: CommandConnection | undefined
  inFlight: number
  /** Of what was in flight, what was refused, in the order of the calls. */
  returned: Message[]
  /** What comes after all that is in flight, in the order of the calls. */
  waiting: Message[]
  /** Why some of what was in flight was refused. */
  refusal: Error | undefined
  /** How often in a row something was refused. */
  refusals: number
  timer: NodeJS.Timeout | undefined
}

export function createClusterPublisher({
  nodeOf,
  isReady,
  onRefused,
}: ClusterPublisherOptions): ClusterPublisher {
  const lanes = new Map<number, SlotLane>()

  const laneOf = (slot: number): SlotLane => {
    const found = lanes.get(slot)
    if (found !== undefined) return found
    const lane: SlotLane = {
      slot,
      connection: undefined,
      inFlight: 0,
      returned: [],
      waiting: [],
      refusal: undefined,
      refusals: 0,
      timer: undefined,
    }
    lanes.set(slot, lane)
    return lane
  }

  const send = (lane: SlotLane, message: Message, node: ClusterNode, publishing: CommandConnection): void => {
    lane.connection = publishing
    lane.inFlight += 1
    publishing.call('SPUBLISH', message.channel, message.payload).then(
      () => {
        message.resolve()
        lane.refusals = 0
        landed(lane)
      },
      (error: unknown) => {
        if (isRedirect(error)) lane.returned.push(message)
        else message.reject(error)
        if (isRefusal(error)) {
          if (!isForbidden(error) && (lane.refusal === undefined || isRedirect(lane.refusal)))
            lane.refusal = error
          onRefused(error, node)
        }
        landed(lane)
      },
    )
  }

  const landed = (lane: SlotLane): void => {
    lane.inFlight -= 1
    if (lane.inFlight > 0) return
    const { refusal } = lane
    if (refusal !== undefined) {
      lane.waiting = [...lane.returned, ...lane.waiting]
      lane.returned = []
      lane.refusal = undefined
      lane.refusals += 1
      // All of them: what is sent after one that was given up would overtake it, should that be published again.
      if (!isRedirect(refusal) || lane.refusals >= maxRefusals || !isReady())
        for (const message of lane.waiting.splice(0)) message.reject(refusal)
    }
    if (lane.waiting.length === 0) {
      lanes.delete(lane.slot)
    } else if (lane.refusals > 1) {
      // The one that has the slot may not know of it yet.
      lane.timer = setTimeout(() => {
        lane.timer = undefined
        sendWaiting(lane)
      }, retryDelay(lane.refusals))
    } else {
      sendWaiting(lane)
    }
  }

  const sendWaiting = (lane: SlotLane): void => {
    if (lane.inFlight > 0 || lane.timer !== undefined) return
    const node = nodeOf(lane.slot)
    if (node?.publishing === undefined) return
    // A node may come to know that it has the slot between two messages: the first goes alone, and the others once it is taken.
    const count = lane.refusals === 0 ? lane.waiting.length : 1
    for (const message of lane.waiting.splice(0, count)) send(lane, message, node, node.publishing)
  }

  return {
    publish(channel, payload) {
      const lane = laneOf(slotOf(channel))
      return new Promise((resolve, reject) => {
        const message: Message = { channel, payload, resolve, reject }
        const node = nodeOf(lane.slot)
        const isFree = lane.inFlight === 0 || lane.connection === node?.publishing
        const isFirst = lane.waiting.length === 0 && lane.refusal === undefined && lane.refusals === 0
        if (node?.publishing !== undefined && isFree && isFirst) send(lane, message, node, node.publishing)
        else lane.waiting.push(message)
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
