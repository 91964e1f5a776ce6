import { AsyncLocalStorage, createHook } from 'node:async_hooks'

/** What keeps a program alive until it is closed, cleared or destroyed. */
const kinds: ReadonlyMap<string, string> = new Map([
  ['Timeout', 'timer'],
  ['TCPWRAP', 'socket'],
  ['PIPEWRAP', 'socket'],
  ['TCPSERVERWRAP', 'server'],
])

interface Handle {
  readonly name: string
  readonly resource: object
}

/** The handles that `run` opens, and no one else's. */
export interface HandleWatch {
  run<Result>(work: () => Promise<Result>): Promise<Result>
  /** Runs `work` as if outside of `run`. */
  exempt<Result>(work: () => Result): Result
  /** Resolves once all have been closed; after `patience` milliseconds it rejects with those that have not. */
  expectClosed(patience: number): Promise<void>
  stop(): void
}

// One for all watches: each storage that is in use costs every promise of the program a property.
const inside = new AsyncLocalStorage<object>()

export function watchHandles(): HandleWatch {
  const own = {}
  const open = new Map<number, Handle>()
  const hook = createHook({
    init(id, kind, _trigger, resource) {
      const name = kinds.get(kind)
      if (name !== undefined && inside.getStore() === own) open.set(id, { name, resource })
    },
    destroy(id) {
      open.delete(id)
    },
  })

  hook.enable()

  const left = (): string[] =>
    [...open.values()].filter(({ resource }) => holdsProgram(resource)).map(({ name }) => name)

  return {
    run: (work) => inside.run(own, work),
    exempt: (work) => inside.exit(work),
    async expectClosed(patience) {
      // A socket closes a few turns of the event loop after it was destroyed. A timer here would count itself.
      const deadline = performance.now() + patience
      while (left().length > 0 && performance.now() < deadline)
        await new Promise((resolve) => setImmediate(resolve))
      if (left().length > 0) throw new Error(`a closed backend left behind: ${left().join(', ')}`)
    },
    stop: () => void hook.disable(),
  }
}

const holdsProgram = (resource: object): boolean =>
  !('hasRef' in resource) || typeof resource.hasRef !== 'function' || resource.hasRef() !== false
