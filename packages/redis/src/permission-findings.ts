import { describeError, type Finding } from '@ps/core'
import type { Connection } from './connection.js'
import { isForbidden, isRefusal } from './failures.js'

/** Says what of `channels` the user may not publish or listen on. Nothing is published: the command is queued, checked, and discarded. */
export async function* examinePermissions(
  connection: Connection,
  listening: Connection,
  { channels, username }: { readonly channels: readonly string[]; readonly username: string },
): AsyncGenerator<Finding> {
  const refusals = new Map<string, string>()
  const note = (command: string, channel: string, error: unknown): void => {
    // It names the command, or says that it is the channel.
    const isCommand = isRefusal(error) && (/command/i.test(error.message) || !isForbidden(error))
    const what = isCommand
      ? `may not ${command}`
      : `may not ${command} the channel ${JSON.stringify(channel)}`
    refusals.set(what, describeError(error))
  }
  for (const channel of channels) {
    const begun = await connection.call('MULTI').then(
      () => true,
      () => false,
    )
    // Where it may not, publishing itself will tell.
    if (begun) {
      await connection.call('PUBLISH', channel, '').catch((error: unknown) => note('PUBLISH', channel, error))
      await connection.call('DISCARD')
    }
    await listening.call('SUBSCRIBE', channel).then(
      () =>
        listening.call('UNSUBSCRIBE', channel).catch((error: unknown) => note('UNSUBSCRIBE', channel, error)),
      (error: unknown) => note('SUBSCRIBE', channel, error),
    )
    if (connection.lost ?? listening.lost) throw connection.lost ?? listening.lost
  }
  const user = username || 'default'
  for (const [what, because] of refusals) {
    yield {
      code: what.includes('channel') ? 'channel_not_permitted' : 'command_not_permitted',
      severity: 'problem',
      message: `the user ${JSON.stringify(user)} ${what}: ${because}`,
      fix: what.includes('channel')
        ? `ACL SETUSER ${user} "&pattern" with a pattern for it. Where the user has other channels: set PUBSUB_PREFIX to what they begin with, or try one of them with --channel`
        : `ACL SETUSER ${user} +publish +subscribe +unsubscribe; a command that was renamed in redis.conf needs its name back`,
    }
  }
  if (refusals.size === 0 && channels.length > 0) {
    yield {
      code: 'permissions',
      severity: 'ok',
      message: `the user ${JSON.stringify(user)} may publish and listen on ${channels.map((channel) => JSON.stringify(channel)).join(', ')}`,
    }
  }
}
