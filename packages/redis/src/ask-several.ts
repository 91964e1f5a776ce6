import { describeError, PubSubError } from '@ps/core'

/** How long those that have not answered are waited for once one has, in milliseconds. */
const graceMilliseconds = 250

/**
 * Resolves with what several servers have answered, in the order of `asked`, and does not wait for long for those that stand still. Where none can be
 * asked, rejects with what no waiting can mend, else with all that was said; `whose` begins that.
 */
export async function askSeveral<Answer>(
  asked: readonly Promise<Answer>[],
  whose: string,
): Promise<readonly Answer[]> {
  const answers = new Map<number, Answer>()
  const failures: unknown[] = []
  await new Promise<void>((resolve) => {
    let timer: NodeJS.Timeout | undefined
    const settled = (): void => {
      if (answers.size > 0) timer ??= setTimeout(resolve, graceMilliseconds)
      if (answers.size + failures.length < asked.length) return
      clearTimeout(timer)
      resolve()
    }
    for (const [index, one] of asked.entries()) {
      void one
        .then(
          (answer) => void answers.set(index, answer),
          (error: unknown) => void failures.push(error),
        )
        .then(settled)
    }
  })
  if (answers.size > 0)
    return [...answers].toSorted(([one], [other]) => one - other).map(([, answer]) => answer)
  const worst = failures.find((error) => error instanceof PubSubError && error.code !== 'unavailable')
  if (worst !== undefined) throw worst
  const words = [...new Set(failures.map(describeError))].join('; ')
  throw new PubSubError('unavailable', `${whose} can be asked: ${words}`, {
    backend: 'redis',
    cause: failures[0],
  })
}
