import { isPubSubError } from '@ps/core'

/** How `work` ends, in a word: `resolved`, or the code of its error. */
export const outcome = (work: Promise<unknown>): Promise<string> =>
  work.then(
    () => 'resolved',
    (error: unknown) => (isPubSubError(error) ? error.code : `not a PubSubError: ${String(error)}`),
  )
