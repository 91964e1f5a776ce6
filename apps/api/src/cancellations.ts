import type { Client } from '@ps/core'
import { engineInbox, type Job, type JobChannels } from '@ps/jobs'

/** An engine that goes on with a cancelled job has not heard us: it is told again, at most this often, in milliseconds. */
const repeatAfter = 1_000

/** Jobs that their engines are told to stop. */
export interface Cancellations {
  /** Resolves false where it is not known that a broker has the message. */
  cancel(job: Pick<Job, 'id' | 'engine'>): Promise<boolean>
  /** To be called when an engine says that it goes on with a job. */
  goesOn(job: Pick<Job, 'id' | 'engine'>): void
  forget(id: string): void
}

export function createCancellations(client: Pick<Client<JobChannels>, 'publish'>): Cancellations {
  const toldAt = new Map<string, number>()

  const tell = ({ id, engine }: Pick<Job, 'id' | 'engine'>): Promise<boolean> => {
    toldAt.set(id, performance.now())
    return client.publish(engineInbox(engine), { type: 'cancel', id })
  }

  return {
    cancel: tell,
    goesOn(job) {
      const told = toldAt.get(job.id)
      if (told === undefined || performance.now() - told < repeatAfter) return
      tell(job).catch(() => {})
    },
    forget: (id) => void toldAt.delete(id),
  }
}
