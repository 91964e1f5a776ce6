import { isControlChannel } from '@ps/jobs'
import { Problem } from '../problem.js'
import { checkChannelName } from './channel-name.js'
import { type Credential, maySubscribe } from './credential.js'
import { forbidden } from './unauthorized.js'

/** What somebody may hear in one stream, and how long. */
export interface Subscription {
  readonly channels: readonly string[]
  /** In milliseconds since 1970. */
  readonly expires: number | undefined
}

/**
 * Which channels a stream is for, what is sent from before included: it is asked each time somebody comes back. Those that
 * were asked for, else those of the ticket. Throws a Problem where it may not be.
 */
export function subscriptionOf(credential: Credential, asked: readonly string[] = []): Subscription {
  const channels = [...new Set(asked.length === 0 ? credential.channels : asked)]
  if (channels.length === 0) {
    throw new Problem(400, 'say which channels: ?channel=a&channel=b', { code: 'no_channel' })
  }
  for (const channel of channels) checkSubscription(credential, channel)
  return { channels, expires: credential.expires }
}

/** Throws a Problem where a channel is none, or not for whoever asks. */
export function checkSubscription(credential: Credential, channel: string): void {
  checkChannelName(channel)
  if (isControlChannel(channel)) {
    throw new Problem(403, `the channel ${channel} is not for reading`, { code: 'control_channel' })
  }
  if (!maySubscribe(credential, channel)) {
    throw forbidden(`the claim subscribe of this token does not have the channel ${channel}`)
  }
}
