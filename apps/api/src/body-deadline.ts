import { PassThrough, type Readable } from 'node:stream'
import { Problem } from './problem.js'

export interface BodyDeadline {
  /** In milliseconds: for the whole body, or for as long as nothing comes. */
  readonly timeout: number
  readonly of: 'whole' | 'silence'
}

/**
 * The same body, which fails with a Problem where it breaks off or takes too long. What it came over is left alone, so
 * that the answer finds its way.
 */
export function withBodyDeadline(body: Readable, { timeout, of }: BodyDeadline): Readable {
  const bounded = new PassThrough()
  const what = of === 'whole' ? 'the body did not come' : 'nothing of the body came'
  const timer = setTimeout(
    () => bounded.destroy(new Problem(408, `${what} within ${timeout} ms`, { code: 'too_slow' })),
    timeout,
  )
  if (of === 'silence') body.on('data', () => timer.refresh())
  // Whoever has refused the body does not read it any more, and hears of no failure.
  bounded.on('error', () => {})
  bounded.once('close', () => clearTimeout(timer))
  body.once('error', () => bounded.destroy(new Problem(400, 'the body broke off', { code: 'broken_body' })))
  return body.pipe(bounded)
}
