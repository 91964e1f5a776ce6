/**
 * The same values, until the signal is aborted: then it throws the signal's reason at once, even while the source is
 * waiting for its next value.
 */
export async function* abortable<Value>(
  source: AsyncIterable<Value>,
  signal: AbortSignal,
): AsyncGenerator<Value, void, undefined> {
  signal.throwIfAborted()
  const iterator = source[Symbol.asyncIterator]()
  let stopWaiting: (reason: unknown) => void = () => {}
  const onAbort = (): void => stopWaiting(signal.reason)
  signal.addEventListener('abort', onAbort, { once: true })
  let done = false
  try {
    for (;;) {
      const next = await new Promise<IteratorResult<Value>>((resolve, reject) => {
        stopWaiting = reject
        iterator.next().then(resolve, reject)
      })
      if (next.done === true) {
        done = true
        return
      }
      yield next.value
      signal.throwIfAborted()
    }
  } finally {
    signal.removeEventListener('abort', onAbort)
    // Not awaited: a source that hangs would keep us from ending, and what it says now interests nobody.
    if (!done) iterator.return?.().catch(() => {})
  }
}
