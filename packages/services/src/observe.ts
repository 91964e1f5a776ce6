// Loaded before a program that is observed: it tells its parent what the program uses, and ends it with its parent.

export interface Usage {
  /** So far. */
  readonly cpuMilliseconds: number
  /** The resident memory, in bytes. */
  readonly resident: number
  /** The heap and what it holds outside, in bytes. */
  readonly live: number
}

process.on('disconnect', () => process.exit())
process.on('message', ({ number, collect }: { readonly number: number; readonly collect: boolean }) => {
  void tell(number, collect)
})
// The program ends when it has nothing to do, as it would alone.
process.channel?.unref()

async function tell(number: number, collect: boolean): Promise<void> {
  if (collect) {
    globalThis.gc?.()
    // Buffers are given back after the collection that found them unused.
    await new Promise((resolve) => setImmediate(resolve))
    globalThis.gc?.()
  }
  const { user, system } = process.cpuUsage()
  const { rss, heapUsed, external } = process.memoryUsage()
  const usage: Usage = {
    cpuMilliseconds: (user + system) / 1_000,
    resident: rss,
    live: heapUsed + external,
  }
  process.send?.({ number, usage })
}
