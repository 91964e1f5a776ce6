const marker = Symbol('undecided message')

/** A message in its place among those of a listener, of which the schema has not said yet whether it is one. */
export interface UndecidedMessage {
  readonly [marker]: true
  /** What is to be delivered; `undefined` where it is refused. Does not reject. */
  readonly decided: Promise<{ readonly value: unknown } | undefined>
}

export const undecidedMessage = (decided: UndecidedMessage['decided']): UndecidedMessage => ({
  [marker]: true,
  decided,
})

export const isUndecided = (message: unknown): message is UndecidedMessage =>
  typeof message === 'object' && message !== null && marker in message
