/** Handlers by event name. A handler that throws or rejects hurts neither the others nor the emitter. */
export interface Emitter<Events> {
  emit<Name extends keyof Events>(name: Name, event: Events[Name]): void
  on<Name extends keyof Events>(name: Name, handler: (event: Events[Name]) => void): () => void
}

export function createEmitter<Events>(onHandlerError: (error: unknown) => void): Emitter<Events> {
  const handlers: { [Name in keyof Events]?: Set<(event: Events[Name]) => void> } = {}
  return {
    emit(name, event) {
      // A copy, because a handler may add handlers, which must not see this event.
      for (const handler of Array.from(handlers[name] ?? []))
        (async () => handler(event))().catch(onHandlerError)
    },
    on(name, handler) {
      // Wrapped, so that the same function given twice is two registrations and each `off` ends its own.
      const registration = (event: Parameters<typeof handler>[0]): void => handler(event)
      const registered = (handlers[name] ??= new Set())
      registered.add(registration)
      return () => void registered.delete(registration)
    },
  }
}
