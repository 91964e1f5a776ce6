import { Problem } from './problem.js'

/** How much is in a folder, so that it is never more than it may be. */
export interface StoredBytes {
  /** Throws a Problem where so many bytes more are too many. */
  checkRoom(bytes: number): void
  set(name: string, bytes: number): void
  forget(name: string): void
  names(): readonly string[]
}

export function createStoredBytes(maxStoredBytes: number): StoredBytes {
  const sizes = new Map<string, number>()
  let stored = 0
  const set = (name: string, bytes: number): void => {
    stored += bytes - (sizes.get(name) ?? 0)
    sizes.set(name, bytes)
  }
  return {
    checkRoom(bytes) {
      if (stored + bytes <= maxStoredBytes) return
      throw new Problem(
        507,
        `what is kept may take ${maxStoredBytes} bytes and takes ${stored}: try again when jobs have ended, or raise API_MAX_STORED_BYTES`,
        { code: 'no_room' },
      )
    },
    set,
    forget(name) {
      set(name, 0)
      sizes.delete(name)
    },
    names: () => [...sizes.keys()],
  }
}
