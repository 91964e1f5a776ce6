import { PubSubError } from './errors.js'
import type { Check, Verdict } from './message-check.js'
import { describePlaces } from './schema-issues.js'
import { undecidedMessage } from './undecided-message.js'

/** What is to be delivered for a message that arrived; `undefined` where it is refused. `onRefused` may be called later. */
export function checkedMessage(
  channel: string,
  message: unknown,
  check: Check,
  onRefused: (error: PubSubError) => void,
): { readonly value: unknown } | undefined {
  const accept = (verdict: Verdict): { readonly value: unknown } | undefined => {
    if (verdict.issues === undefined) return verdict
    const { issues, cause } = verdict
    const words = `a message on channel ${JSON.stringify(channel)} does not fit its schema at ${describePlaces(issues)}`
    const details = { channel, issues, ...(cause !== undefined && { cause }) }
    onRefused(new PubSubError('invalid_payload', words, details))
    return undefined
  }
  const verdict = check(message)
  return 'then' in verdict ? { value: undecidedMessage(verdict.then(accept)) } : accept(verdict)
}
