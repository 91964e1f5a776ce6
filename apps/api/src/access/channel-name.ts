import { Problem } from '../problem.js'

const maxBytes = 255
// They would end a line of a stream, a log or a header.
const control = /\p{Cc}/u

/** Throws a Problem where a text cannot be the name of a channel over HTTP. */
export function checkChannelName(channel: string): void {
  const reason =
    channel === ''
      ? 'is empty'
      : Buffer.byteLength(channel) > maxBytes
        ? `has more than ${maxBytes} bytes`
        : control.test(channel)
          ? 'has control characters'
          : channel.isWellFormed()
            ? undefined
            : 'is no well-formed Unicode'
  if (reason !== undefined) {
    throw new Problem(400, `this cannot be the name of a channel: it ${reason}`, { code: 'invalid_channel' })
  }
}
