import type { BackendHealth, Health } from '@ps/core'
import { formatBackend, formatMilliseconds, formatTime } from './format.js'

/** What of a client's health says over which broker messages travel. */
export type BackendState = Pick<Health, 'backend' | 'state' | 'reason' | 'since' | 'backends'>

/** Which broker carries the messages, and why where it is not the first choice. */
export function backendWords({ backend, state, backends }: BackendState): string {
  const name = formatBackend(backend)
  if (state === 'down')
    return `${backends.map((each) => formatBackend(each.name)).join(' and ')} ${unreachable(backends)}`
  const [first, ...others] = backends
  if (first === undefined) return name
  if (first.name === backend) {
    // Between the moment in which a broker goes and the one in which the client turns to the next.
    if (first.state === 'down') return `${name}, which does not answer`
    const missing = others.find((other) => other.state === 'down')
    return missing === undefined ? name : `${name}, without ${formatBackend(missing.name)} behind it`
  }
  const preferred = formatBackend(first.name)
  return first.state === 'down'
    ? `${name}, since ${preferred} is unreachable`
    : `${name}, soon back on ${preferred}`
}

/** Since when it does, why where {@link backendWords} does not say so, and how every broker answers. */
export function backendDetails({ backend, reason, since, backends }: BackendState): string {
  const answers = backends.map(answerWords).join(' · ')
  const [first] = backends
  if (first === undefined || backends.length === 1) return answers
  let why = ''
  if (first.name === backend) why = `, because ${withNamedBackend(reason, backends)}`
  else if (first.state === 'ready') why = `, until ${formatBackend(first.name)} has answered for a while`
  return `Since ${formatTime(Date.parse(since))}${why}. ${answers}`
}

const unreachable = ({ length }: readonly unknown[]): string => `${length === 1 ? 'is' : 'are'} unreachable`

/** A reason that begins with a broker's name, which people write with a capital. */
const withNamedBackend = (reason: string, backends: readonly BackendHealth[]): string =>
  backends.some(({ name }) => reason.startsWith(`${name} `)) ? formatBackend(reason) : reason

function answerWords({ name, state, latencyMs, reason }: BackendHealth): string {
  if (state === 'ready') {
    return `${formatBackend(name)} answers${latencyMs === null ? '' : ` in ${formatMilliseconds(latencyMs)}`}`
  }
  return `${formatBackend(name)} is down${reason === undefined ? '' : `: ${reason}`}`
}
