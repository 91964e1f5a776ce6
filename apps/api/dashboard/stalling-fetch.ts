/** A `fetch` whose answers can be left unread. */
export interface StallingFetch {
  readonly fetch: typeof globalThis.fetch
  /** From now on nothing is read, so that the buffers on the way fill up, and then the server's. */
  stall(): void
  release(): void
}

export function createStallingFetch(): StallingFetch {
  let release = (): void => undefined
  let gate: Promise<void> = Promise.resolve()

  return {
    async fetch(input, init) {
      const answer = await fetch(input, init)
      if (answer.body === null) return answer
      const reader = answer.body.getReader()
      const body = new ReadableStream<Uint8Array>(
        {
          async pull(controller) {
            await gate
            const { done, value } = await reader.read()
            // It may have been asked for before.
            await gate
            if (done) controller.close()
            else controller.enqueue(value)
          },
          cancel: (reason) => reader.cancel(reason),
        },
        { highWaterMark: 0 },
      )
      return new Response(body, answer)
    },
    stall() {
      gate = new Promise((resolve) => {
        release = resolve
      })
    },
    release: () => release(),
  }
}
