/** A sum of many numbers without the rounding error that adding them one after the other would gather (Neumaier). */
export interface Sum {
  add(number: number): void
  total(): number
}

/** Creates a sum that begins with a number. */
export function createSum(begin = 0): Sum {
  // In an array because V8 allocates an object for every number that a closure's variable is set to.
  const state = Float64Array.of(begin, 0)
  return {
    add(number) {
      const sum = state[0] ?? 0
      const lost = state[1] ?? 0
      const next = sum + number
      state[0] = next
      state[1] = lost + (Math.abs(sum) >= Math.abs(number) ? sum - next + number : number - next + sum)
    },
    total: () => (state[0] ?? 0) + (state[1] ?? 0),
  }
}
