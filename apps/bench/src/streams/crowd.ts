import { connect, type Socket } from 'node:net'
import { describeError } from '@ps/core'
import {
  type CrowdAnswers,
  type CrowdOrder,
  type CrowdReply,
  type CrowdRequest,
  type Heard,
  mark,
} from './crowd-orders.js'

// The clients of a measurement: plain sockets that read and count, so that what is measured is the server.

/** How many are on their way at a time where they need not come all at once. */
const atOnce = 250
const markByte = mark.charCodeAt(0)

process.on('disconnect', () => process.exit())

interface Member {
  socket: Socket | undefined
  lastId: string
  messages: number
  /** Whether anything has come over this connection. */
  hasBegun: boolean
}

let members: Member[] = []
let port = 0
let path = ''
let messages = 0
let lastAt = 0
let wanted = Number.POSITIVE_INFINITY
let reached: () => void = () => {}
/** One for all: what is read is counted at once. */
const buffer = Buffer.allocUnsafe(256 * 1_024)

let keepsIds = false

const take = (member: Member, bytes: Buffer): void => {
  let found = 0
  for (let at = bytes.indexOf(markByte); at !== -1; at = bytes.indexOf(markByte, at + 1)) found += 1
  if (found === 0) return
  messages += found
  member.messages += found
  lastAt = performance.now()
  if (keepsIds) {
    const from = bytes.lastIndexOf('id: ')
    if (from !== -1) member.lastId = bytes.toString('latin1', from + 4, bytes.indexOf('\n', from))
  }
  if (messages >= wanted) reached()
}

/** Resolves when the first bytes have come, or with `false` where it is no stream. */
const join = (member: Member): Promise<boolean> =>
  new Promise((resolve) => {
    member.hasBegun = false
    const socket = connect({
      port,
      host: '127.0.0.1',
      onread: {
        buffer,
        callback(length) {
          const bytes = buffer.subarray(0, length)
          if (!member.hasBegun) {
            member.hasBegun = true
            resolve(bytes.toString('latin1', 0, 12) === 'HTTP/1.1 200')
          }
          take(member, bytes)
          return true
        },
      },
    })
    member.socket = socket
    const again = member.lastId === '' ? '' : `Last-Event-ID: ${member.lastId}\r\n`
    socket.on('error', () => {})
    socket.on('close', () => resolve(false))
    socket.write(
      `GET ${path} HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nAccept: text/event-stream\r\n${again}\r\n`,
    )
  })

const joinAll = async (all: readonly Member[], width: number): Promise<CrowdAnswers['open']> => {
  const begun = performance.now()
  let next = 0
  let refused = 0
  const joinSome = async (): Promise<void> => {
    for (let member = all[next++]; member !== undefined; member = all[next++])
      if (!(await join(member))) refused += 1
  }
  await Promise.all(Array.from({ length: width }, joinSome))
  return { milliseconds: performance.now() - begun, refused }
}

const hear = async (count: number, timeout: number): Promise<Heard> => {
  const begun = performance.now()
  if (messages < count) {
    await new Promise<void>((resolve) => {
      const late = setTimeout(resolve, timeout)
      wanted = count
      reached = () => {
        clearTimeout(late)
        resolve()
      }
    })
    wanted = Number.POSITIVE_INFINITY
  }
  return { messages, milliseconds: Math.max(0, lastAt - begun) }
}

type Answer<Kind extends CrowdOrder['kind']> = CrowdAnswers[Kind] | Promise<CrowdAnswers[Kind]>

const obey: {
  readonly [Kind in CrowdOrder['kind']]: (order: CrowdOrder & { readonly kind: Kind }) => Answer<Kind>
} = {
  open(order) {
    port = order.port
    path = order.path
    keepsIds = order.keepsIds
    members = Array.from({ length: order.count }, () => ({
      socket: undefined,
      lastId: '',
      messages: 0,
      hasBegun: false,
    }))
    return joinAll(members, atOnce)
  },
  await: ({ messages: count, timeout }) => hear(count, timeout),
  count() {
    messages = 0
    for (const member of members) member.messages = 0
    return null
  },
  async cut({ from, to }) {
    for (const { socket } of members.slice(from, to)) socket?.destroy()
    return null
  },
  async return({ each, timeout }) {
    const wantedOf = (index: number): number => each[Math.floor((index * each.length) / members.length)] ?? 0
    const all = members.reduce((sum, _, index) => sum + wantedOf(index), 0)
    const [opened, heard] = await Promise.all([joinAll(members, members.length), hear(all, timeout)])
    const surplus = members.map((member, index) => member.messages - wantedOf(index))
    return {
      ...opened,
      heard,
      lost: surplus.reduce((sum, count) => sum + Math.max(0, -count), 0),
      doubled: surplus.reduce((sum, count) => sum + Math.max(0, count), 0),
    }
  },
  close() {
    for (const { socket } of members) socket?.destroy()
    members = []
    return null
  },
}

const reply = (message: CrowdReply): void => void process.send?.(message)
process.on('message', ({ number, order }: CrowdRequest) => {
  const run = obey[order.kind] as (order: CrowdOrder) => Answer<CrowdOrder['kind']>
  ;(async () => run(order))().then(
    (value) => reply({ number, value }),
    (error: unknown) => reply({ number, error: `${order.kind}: ${describeError(error)}` }),
  )
})
reply({ number: 0, value: null })
