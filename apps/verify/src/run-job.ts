import { waitFor } from '@ps/services'

/** Gives the api a small file and waits until an engine has done it. */
export async function runJob(address: string, token: string): Promise<void> {
  const headers = { authorization: `Bearer ${token}` }
  // An engine that has just started may not have been heard of yet.
  const { location } = await waitFor(
    async () => {
      const response = await fetch(`${address}/v1/jobs`, {
        method: 'POST',
        headers: { ...headers, 'content-type': 'text/csv' },
        body: 'name,age\nAda,36\nAlan,41\n',
      })
      const to = response.headers.get('location')
      return response.status === 202 && to !== null && { location: to }
    },
    { timeout: 20_000, what: 'an engine to take the job' },
  )
  const job = await waitFor(
    async () => {
      const found = (await (await fetch(`${address}${location}`, { headers })).json()) as { state: string }
      return ['done', 'failed', 'lost', 'cancelled'].includes(found.state) && found
    },
    { timeout: 20_000, what: 'the job to end' },
  )
  if (job.state !== 'done') throw new Error(`the job ended like this: ${JSON.stringify(job)}`)
}
