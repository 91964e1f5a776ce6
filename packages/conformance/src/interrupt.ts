/**
 * What the suite does to the way between the backends under test and their broker. It needs a broker of the suite's own,
 * reached through a TCP proxy.
 */
export interface Interrupt {
  /** Breaks every open connection at once. New ones are taken. */
  cut(): Promise<void> | void
  /** From now on no byte moves on any connection, in neither direction; new ones are taken, and mute. */
  freeze(): Promise<void> | void
  /** Ends `freeze`. Does nothing where nothing is frozen. */
  thaw(): Promise<void> | void
  /** Ends the broker as a crash would. Connections are refused until `start`. */
  stop(): Promise<void>
  /** Starts the broker again, at the same address. Does nothing where it runs. */
  start(): Promise<void>
}

/** An ability that a broker has not got, and why. The reason is printed. */
export interface NotApplicable {
  /** Why, in words. */
  readonly notApplicable: string
}

export const isNotApplicable = (given: object): given is NotApplicable => 'notApplicable' in given
