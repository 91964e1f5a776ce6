/** A number of bytes that several parties share. */
export interface MemoryBudget {
  /** Takes so many bytes, or returns false and takes none when fewer are left. */
  take(bytes: number): boolean
  /** Gives back what was taken. */
  give(bytes: number): void
}

/** Creates a budget of so many bytes. */
export function createMemoryBudget(bytes: number): MemoryBudget {
  let left = bytes
  return {
    take(wanted) {
      if (wanted > left) return false
      left -= wanted
      return true
    },
    give(returned) {
      left += returned
    },
  }
}
