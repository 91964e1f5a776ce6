import { isUndecided, type UndecidedMessage } from './undecided-message.js'

/** A listener's callback on a channel with a schema: in its turn a message may still be undecided, and then may be refused. */
export function checkedCallback(
  callback: (message: never) => unknown,
  isClosed: () => boolean,
  onDelivered: () => void,
): (message: unknown) => unknown {
  const deliver = (message: unknown): unknown => {
    onDelivered()
    return (callback as (message: unknown) => unknown)(message)
  }
  const deliverDecided = async ({ decided }: UndecidedMessage): Promise<void> => {
    const given = await decided
    if (given !== undefined && !isClosed()) await deliver(given.value)
  }
  return (message) => (isUndecided(message) ? deliverDecided(message) : deliver(message))
}
