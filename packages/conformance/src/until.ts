/** Asks `condition` again and again until it holds; rejects, with what was waited for, after `patience` milliseconds. */
export async function until(
  condition: () => boolean | Promise<boolean>,
  what: string,
  patience: number,
): Promise<void> {
  const deadline = performance.now() + patience
  while (!(await condition())) {
    if (performance.now() > deadline) throw new Error(`after ${patience / 1_000} s: ${what}`)
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
}
