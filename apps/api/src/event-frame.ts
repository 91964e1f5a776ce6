export interface FrameFields {
  readonly id?: string | undefined
  /** Without it, it is a message. */
  readonly event?: string | undefined
}

/** A frame of a stream of Server-Sent Events. JSON has no line breaks, so one line of data is enough. */
export function eventText(data: unknown, { id, event }: FrameFields = {}): string {
  const fields = `${id === undefined ? '' : `id: ${id}\n`}${event === undefined ? '' : `event: ${event}\n`}`
  return `${fields}data: ${JSON.stringify(data)}\n\n`
}

export const eventFrame = (data: unknown, fields?: FrameFields): Buffer =>
  Buffer.from(eventText(data, fields))

/** Says that messages may be missing on a channel. */
export const gapFrame = (channel: string, reason: string, id?: string): Buffer =>
  eventFrame({ channel, reason }, { id, event: 'ps.gap' })
