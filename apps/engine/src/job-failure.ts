/** The input cannot be used. The message is a sentence for the person who gave it: what is wrong, where, and what to do. */
export class JobFailure extends Error {
  constructor(message: string) {
    super(message)
    this.name = 'JobFailure'
  }
}
