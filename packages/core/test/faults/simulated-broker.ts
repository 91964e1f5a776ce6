import { type Backend, type BackendEvents, type BackendModule, PubSubError } from '../../src/index.js'

/** How long one way takes where nothing else is said, in milliseconds. */
const latency = 1
/** After how long without an answer a client gives up its connections, in milliseconds. */
const muteMilliseconds = 4_000
/** The longest pause before an attempt to reconnect, in milliseconds. */
const reconnectMilliseconds = 1_000

/** What a broker sends to a client on its listening connection. */
interface Delivery {
  readonly channel: string
  readonly payload: string
}

/** What can happen to one client's link to a broker. */
export interface SimulatedLink {
  /** Whether messages go both ways now. */
  readonly isFlowing: boolean
  /** Loses the connections, of one kind or both, for at least so long. */
  cut(kind: 'both' | 'publishing' | 'listening', milliseconds: number): void
  /** Nothing gets through, and nobody is told, until `thaw`. */
  freeze(): void
  thaw(): void
  /** Deliveries take so long from now on. */
  delay(milliseconds: number): void
  /** The next `count` deliveries are lost, after `after` others. */
  lose(after: number, count: number): void
  /** The next `count` deliveries come twice, the second time so much later. */
  double(count: number, milliseconds: number): void
  /** The client's process dies: it does nothing any more, and nothing reaches it. */
  kill(): void
}

/** A broker in this process, under the clock of the test, with the faults of a real one. */
export interface SimulatedBroker {
  readonly name: string
  /** The backend of one client. */
  module(client: string): BackendModule
  link(client: string): SimulatedLink
  /** Loses every connection and all that was under way, at an arbitrary point. */
  goDown(): void
  comeBack(): void
  /** Executes nothing until `thaw`; then all of it. */
  freeze(): void
  thaw(): void
}

export interface SimulatedBrokerOptions {
  /** From 0 to below 1: decides what is left open. */
  readonly chance: () => number
  /** A delivery was lost although the connection lives. */
  readonly onLost: (client: string, channel: string) => void
}

export function createSimulatedBroker(
  name: string,
  { chance, onLost }: SimulatedBrokerOptions,
): SimulatedBroker {
  const links = new Map<string, ReturnType<typeof createLink>>()
  let isAlive = true
  let isFrozen = false

  const some = (count: number): number => Math.floor(chance() * (count + 1))

  const execute = (channel: string, payload: string): void => {
    for (const link of links.values()) link.fanOut({ channel, payload })
  }

  const failure = (code: 'not_sent' | 'outcome_unknown' | 'unavailable' | 'closed'): PubSubError =>
    new PubSubError(code, `${name}: ${code}`, { backend: name })

  const createLink = (client: string) => {
    let path: 'open' | 'frozen' | 'cut' = 'open'
    let isDead = false
    let events: BackendEvents | undefined
    let isReady = false
    // What the client has to tell of once it is live again.
    let wasInterrupted = false
    let publishing: Publishing | undefined
    let listening: Listening | undefined
    const wanted = new Set<string>()
    const confirming = new Map<string, () => void>()
    let deliveryMilliseconds = latency
    let toSkip = 0
    let toLose = 0
    let toDouble = 0
    let doubleMilliseconds = 0
    let reconnecting: NodeJS.Timeout | undefined
    let mute: NodeJS.Timeout | undefined
    let healing: NodeJS.Timeout | undefined
    // Connections that the client has given up, with what they may still bring to the broker.
    let abandoned: Publishing[] = []
    // The broker has died behind a frozen path.
    let isStale = false

    const isReachable = (): boolean => isAlive && !isFrozen && path === 'open' && !isDead

    interface Command {
      readonly channel: string
      readonly payload: string
      settle: ((error?: PubSubError) => void) | undefined
    }

    const createPublishing = () => {
      const unanswered = new Set<Command>()
      const commands = createLine<Command>(
        () => latency,
        () => isAlive && !isFrozen && path !== 'frozen',
        (command) => {
          execute(command.channel, command.payload)
          answers.put(command)
        },
      )
      const answers = createLine<Command>(
        () => latency,
        () => path !== 'frozen',
        (command) => settle(command),
      )
      const settle = (command: Command, error?: PubSubError): void => {
        unanswered.delete(command)
        command.settle?.(error)
        command.settle = undefined
      }
      return {
        send(channel: string, payload: string): Promise<void> {
          return new Promise((resolve, reject) => {
            const command: Command = {
              channel,
              payload,
              settle: (error) => (error === undefined ? resolve() : reject(error)),
            }
            unanswered.add(command)
            commands.put(command)
          })
        },
        wake() {
          commands.wake()
          answers.wake()
        },
        /** The broker still gets some of it, or would. */
        breakOff() {
          const rest = commands.clear()
          for (const { channel, payload } of rest.slice(0, some(rest.length))) execute(channel, payload)
        },
        /** Some answers arrive before the connection is lost. */
        end() {
          const arrived = answers.clear()
          for (const command of arrived.slice(0, some(arrived.length))) settle(command)
          for (const command of unanswered) settle(command, failure('outcome_unknown'))
        },
        /** Nobody waits for the answers any more. */
        forget() {
          for (const command of unanswered) command.settle = undefined
          answers.clear()
        },
        discard: () => void commands.clear(),
      }
    }
    type Publishing = ReturnType<typeof createPublishing>

    const createListening = () => {
      const subscribed = new Set(wanted)
      let isHeld = true
      const requests = createLine<string>(
        () => latency,
        () => isAlive && !isFrozen && path !== 'frozen',
        (channel) => {
          subscribed.add(channel)
          deliveries.put(channel)
        },
      )
      // A string is the confirmation of a channel.
      const deliveries = createLine<Delivery | string>(
        () => deliveryMilliseconds,
        () => path !== 'frozen' && !isHeld,
        (item) => {
          if (typeof item === 'string') confirm(item)
          else if (wanted.has(item.channel)) events?.message(item.channel, item.payload)
        },
      )
      const forget = (): void => {
        requests.clear()
        deliveries.clear()
        subscribed.clear()
      }
      return {
        subscribed,
        request: requests.put,
        put: deliveries.put,
        release() {
          isHeld = false
          deliveries.wake()
        },
        wake() {
          requests.wake()
          deliveries.wake()
        },
        /** Some of what is under way arrives before the connection is lost. */
        end() {
          const rest = isHeld ? [] : deliveries.clear()
          for (const item of rest.slice(0, some(rest.length)))
            if (typeof item !== 'string' && wanted.has(item.channel))
              events?.message(item.channel, item.payload)
          forget()
        },
        forget,
      }
    }
    type Listening = ReturnType<typeof createListening>

    const confirm = (channel: string): void => {
      confirming.get(channel)?.()
      confirming.delete(channel)
    }

    const lose = (why: string, kind: 'both' | 'publishing' | 'listening' = 'both'): void => {
      const lostPublishing = kind === 'listening' ? undefined : publishing
      const lostListening = kind === 'publishing' ? undefined : listening
      if (lostPublishing !== undefined) publishing = undefined
      if (lostListening !== undefined) {
        wasInterrupted = true
        listening = undefined
        lostListening.end()
      }
      const isStateFirst = chance() < 0.5
      if (!isStateFirst) lostPublishing?.end()
      if (isReady) {
        isReady = false
        events?.state('down', new Error(why))
      }
      if (isStateFirst) lostPublishing?.end()
      reconnectSoon()
    }

    const reconnectSoon = (): void => {
      clearTimeout(reconnecting)
      if (events === undefined || isReady || !isReachable()) return
      reconnecting = setTimeout(connect, chance() * reconnectMilliseconds)
    }

    const connect = (): void => {
      if (!isReachable()) return
      clearTimeout(reconnecting)
      publishing ??= createPublishing()
      const isNew = listening === undefined
      const connected = (listening ??= createListening())
      const confirmed = isNew ? [...connected.subscribed] : []
      reconnecting = setTimeout(() => {
        if (!isReachable() || listening !== connected) return reconnectSoon()
        for (const channel of confirmed) confirm(channel)
        if (wasInterrupted) events?.gap(`${name} was interrupted`)
        wasInterrupted = false
        isReady = true
        events?.state('ready')
        connected.release()
      }, latency)
    }

    /** Notices after a while that nothing is answered. */
    const watch = (): void => {
      clearTimeout(mute)
      if (events === undefined || publishing === undefined || listening === undefined) return
      mute = setTimeout(() => {
        if (path !== 'frozen' && !isFrozen) return
        const left = publishing
        publishing = undefined
        isStale = false
        leave(left)
        listening?.forget()
        if (listening !== undefined) wasInterrupted = true
        listening = undefined
        left?.end()
        if (!isReady) return
        isReady = false
        events?.state('down', new Error(`${name} does not answer`))
      }, muteMilliseconds)
    }

    /** The broker gets some of what it was given on a connection that is no more: now, or once it is thawed. */
    const leave = (left: Publishing | undefined): void => {
      if (left === undefined) return
      if (isFrozen || path === 'frozen') abandoned.push(left)
      else left.breakOff()
    }

    const wake = (): void => {
      if (isFrozen || path === 'frozen') return
      const late = abandoned
      abandoned = []
      for (const left of late) left.breakOff()
      if (isStale) {
        isStale = false
        publishing?.discard()
        return lose(`${name} is down`)
      }
      publishing?.wake()
      listening?.wake()
      reconnectSoon()
    }

    const end = (): void => {
      events = undefined
      for (const timer of [reconnecting, mute, healing]) clearTimeout(timer)
      leave(publishing)
      publishing?.forget()
      listening?.forget()
      publishing = undefined
      listening = undefined
      isReady = false
    }

    const createBackend = (): Backend => ({
      name,
      async start(given) {
        events = given
        if (!isReachable()) {
          given.state('down', new Error(`${name} cannot be reached`))
          return
        }
        publishing = createPublishing()
        listening = createListening()
        listening.release()
        isReady = true
        given.state('ready')
      },
      subscribe(channel) {
        wanted.add(channel)
        return new Promise((resolve) => {
          confirming.set(channel, resolve)
          listening?.request(channel)
        })
      },
      async unsubscribe(channel) {
        wanted.delete(channel)
        listening?.subscribed.delete(channel)
      },
      publish(channel, payload) {
        if (isDead) return new Promise(() => {})
        if (!isReady || publishing === undefined) return Promise.reject(failure('not_sent'))
        return publishing.send(channel, payload)
      },
      async ping() {
        if (!isReady) throw failure('unavailable')
      },
      async close() {
        end()
      },
    })

    return {
      createBackend,
      fanOut(delivery: Delivery) {
        if (listening?.subscribed.has(delivery.channel) !== true) return
        if (toSkip > 0) toSkip -= 1
        else if (toLose > 0) {
          toLose -= 1
          return onLost(client, delivery.channel)
        }
        listening.put(delivery)
        if (toDouble === 0) return
        toDouble -= 1
        const connection = listening
        if (doubleMilliseconds === 0) connection.put(delivery)
        else setTimeout(() => listening === connection && connection.put(delivery), doubleMilliseconds)
      },
      breakOff() {
        if (path === 'frozen') publishing?.discard()
        else publishing?.breakOff()
      },
      /** The broker has died. */
      brokerDied() {
        for (const left of abandoned) left.discard()
        abandoned = []
        if (path !== 'frozen') return lose(`${name} is down`)
        // Behind a frozen path nobody notices.
        listening?.subscribed.clear()
        isStale = publishing !== undefined || listening !== undefined
      },
      reconnectSoon,
      watch,
      wake,
      get isFlowing() {
        return isReachable() && isReady && deliveryMilliseconds < 500
      },
      cut(kind: 'both' | 'publishing' | 'listening', milliseconds: number) {
        if (path !== 'open' || isDead) return
        path = 'cut'
        if (kind !== 'listening') leave(publishing)
        lose(`the link to ${name} was cut`, kind)
        clearTimeout(healing)
        healing = setTimeout(() => {
          path = 'open'
          reconnectSoon()
        }, milliseconds)
      },
      freeze() {
        if (path !== 'open' || isDead) return
        path = 'frozen'
        watch()
      },
      thaw() {
        if (path === 'open' || isDead) return
        clearTimeout(healing)
        path = 'open'
        wake()
      },
      delay(milliseconds: number) {
        deliveryMilliseconds = milliseconds
      },
      lose(after: number, count: number) {
        toSkip = after
        toLose = count
      },
      double(count: number, milliseconds: number) {
        toDouble = count
        doubleMilliseconds = milliseconds
      },
      kill() {
        isDead = true
        end()
      },
    }
  }

  const link = (client: string): ReturnType<typeof createLink> => {
    const known = links.get(client) ?? createLink(client)
    links.set(client, known)
    return known
  }

  return {
    name,
    module: (client) => ({ createBackend: () => link(client).createBackend() }),
    link,
    goDown() {
      if (!isAlive) return
      if (!isFrozen) for (const one of links.values()) one.breakOff()
      isAlive = false
      isFrozen = false
      for (const one of links.values()) one.brokerDied()
    },
    comeBack() {
      if (isAlive) return
      isAlive = true
      for (const one of links.values()) one.reconnectSoon()
    },
    freeze() {
      if (!isAlive || isFrozen) return
      isFrozen = true
      for (const one of links.values()) one.watch()
    },
    thaw() {
      if (!isFrozen) return
      isFrozen = false
      for (const one of links.values()) one.wake()
    },
  }
}

interface Line<Item> {
  put(item: Item): void
  /** To be called when it may have been opened. */
  wake(): void
  /** Takes out all that is on its way. */
  clear(): Item[]
}

/** One direction of a connection: what is put in is taken out in order, after the latency and while it is open. */
function createLine<Item>(
  delay: () => number,
  isOpen: () => boolean,
  take: (item: Item) => void,
): Line<Item> {
  let items: { readonly item: Item; readonly due: number }[] = []
  let timer: NodeJS.Timeout | undefined

  const run = (): void => {
    timer = undefined
    while (isOpen()) {
      const first = items[0]
      if (first === undefined) return
      if (first.due > Date.now()) {
        timer ??= setTimeout(run, first.due - Date.now())
        return
      }
      items.shift()
      take(first.item)
    }
  }

  return {
    put(item) {
      items.push({ item, due: Math.max(items.at(-1)?.due ?? 0, Date.now() + delay()) })
      if (timer === undefined) timer = setTimeout(run, delay())
    },
    wake() {
      clearTimeout(timer)
      run()
    },
    clear() {
      clearTimeout(timer)
      timer = undefined
      return items.splice(0).map(({ item }) => item)
    },
  }
}
