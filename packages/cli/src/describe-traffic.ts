import type { Health } from '@ps/core'

const patience = 'once it has been up for PUBSUB_RETURN_AFTER (5 s unless set)'

/** Over which of several brokers messages travel, since when and why, and what changes that. */
export function describeTraffic({ backend, reason, since, backends }: Health): string {
  const [first = backend, ...others] = backends.map(({ name }) => name)
  const change =
    backend === first
      ? `where ${first} goes away ${others.join(' or ')} takes over, and ${first} again ${patience}`
      : `${first} takes over again by itself ${patience}`
  return [
    `messages travel over ${backend}, since ${since}, because ${reason}`,
    `     ${change}`,
    '     so it looks to a program that starts now; one that runs has its own answer: in its log, or at /readyz of an api',
  ].join('\n')
}
