import { maxPayloadBytes } from './parts.js'

const digits = [' ', '\t', '\n', '\r'] as const
const whitespace = new Set(digits.map((digit) => digit.charCodeAt(0)))

/** The whitespace that marks copy number `copy` (0: none, 1: a space, … 4: CR, 5: two spaces): base 4, without a zero. */
export function copyMark(copy: number): string {
  let mark = ''
  for (let rest = copy; rest > 0; rest = Math.floor((rest - 1) / 4))
    mark = (digits[(rest - 1) % 4] ?? '') + mark
  return mark
}

/** Takes off whitespace at the end, which means nothing in JSON: marks, and what a hand added. */
export function withoutMark(payload: string): string {
  // From the end: a regular expression would begin anew at each whitespace in the middle.
  let end = payload.length
  while (end > 0 && whitespace.has(payload.charCodeAt(end - 1))) end -= 1
  return payload.slice(0, end)
}

/**
 * Keeps the notifications of one transaction apart, of which PostgreSQL would collapse equal ones. The function returned
 * gives the payload to send, or `undefined` where it has no room left for its mark and belongs into the next transaction.
 */
export function createDistinctPayloads(): (channel: string, payload: string) => string | undefined {
  const channels = new Map<string, { sent: Set<string>; copies: Map<string, number> }>()
  return (channel, payload) => {
    let known = channels.get(channel)
    if (known === undefined) channels.set(channel, (known = { sent: new Set(), copies: new Map() }))
    const { sent, copies } = known
    const { size } = sent
    if (sent.add(payload).size > size) return payload
    let copy = copies.get(payload) ?? 0
    let marked: string
    do {
      copy += 1
      marked = payload + copyMark(copy)
    } while (sent.has(marked))
    if (Buffer.byteLength(marked) > maxPayloadBytes) return undefined
    copies.set(payload, copy)
    sent.add(marked)
    return marked
  }
}
