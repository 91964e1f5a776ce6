import { type ClientRequest, type IncomingMessage, request } from 'node:http'
import type { ClientAudit } from './stream-audit.js'
import { createEventReader } from './event-reader.js'

/** How long a client waits that was sent away or cut off, in milliseconds. */
const returnMilliseconds = 200

/** So many messages behind, a client is here: else it would stall before it has read what came while it stalled. */
const maxBehind = 20

/** A client that always comes back, with the last id that it has seen. */
export interface StreamClient {
  /** Ends its stream and opens another one at once. */
  reconnect(): void
  /** Its connection is reset; it comes back after so many milliseconds. */
  kill(away: number): void
  /** Reads nothing for so many milliseconds, though the server writes. `false`: it is behind already, and goes on reading. */
  stall(milliseconds: number): boolean
  /** From now on it reads, and is here if it was away. */
  attend(): void
  close(): void
}

export interface StreamClientOptions {
  readonly port: number
  readonly channels: readonly string[]
  readonly audit: ClientAudit
  /** A stream that was asked for did not come. */
  readonly onRefused: (why: string) => void
}

export function openStreamClient({ port, channels, audit, onRefused }: StreamClientOptions): StreamClient {
  const path = `/v1/events?${channels.map((channel) => `channel=${channel}`).join('&')}`
  let lastId: string | undefined
  let sent: ClientRequest | undefined
  let response: IncomingMessage | undefined
  let returning: NodeJS.Timeout | undefined
  let stalling: NodeJS.Timeout | undefined

  const leave = (): void => {
    clearTimeout(returning)
    clearTimeout(stalling)
    returning = undefined
    response = undefined
    const left = sent
    sent = undefined
    left?.destroy()
  }

  const comeBack = (milliseconds: number): void => {
    leave()
    returning = setTimeout(open, milliseconds)
  }

  const open = (): void => {
    returning = undefined
    audit.begin(lastId !== undefined)
    const opened = request({
      host: '127.0.0.1',
      port,
      path,
      agent: false,
      headers: { accept: 'text/event-stream', ...(lastId !== undefined && { 'last-event-id': lastId }) },
    })
    sent = opened
    const isOver = (): boolean => sent !== opened
    const ended = (): void => {
      if (!isOver()) comeBack(returnMilliseconds)
    }
    opened.on('response', (answer) => {
      if (isOver()) return
      if (answer.statusCode !== 200) onRefused(`answered with ${answer.statusCode}`)
      response = answer
      const read = createEventReader((event) => {
        if (event.id !== undefined) lastId = event.id
        audit.hear(event)
      })
      answer.setEncoding('utf8')
      answer.on('data', (text: string) => {
        if (!isOver()) read(text)
      })
      answer.on('error', () => {})
    })
    opened.on('error', (error) => {
      if (!isOver() && response === undefined) onRefused(error.message)
    })
    opened.on('close', ended)
    opened.end()
  }

  open()
  return {
    reconnect() {
      leave()
      open()
    },
    kill(away) {
      sent?.socket?.resetAndDestroy()
      comeBack(away)
    },
    stall(milliseconds) {
      const stalled = response
      if (stalled === undefined || audit.behind() > maxBehind) return false
      stalled.pause()
      stalling = setTimeout(() => stalled.resume(), milliseconds)
      return true
    },
    attend() {
      clearTimeout(stalling)
      response?.resume()
      if (returning === undefined) return
      clearTimeout(returning)
      open()
    },
    close: leave,
  }
}
