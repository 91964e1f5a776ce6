import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'

/** A CSV file over HTTP that goes on and on until it is told to end. */
export interface FlowingSource {
  readonly url: string
  /** How many rows it has sent. */
  readonly rows: number
  end(): void
  close(): Promise<void>
}

const interval = 50
const rowsAtOnce = 100

export async function startFlowingSource(): Promise<FlowingSource> {
  let rows = 0
  let ended = false
  const server = createServer((_, response) => {
    response.writeHead(200, { 'content-type': 'text/csv' })
    response.write('number,text\n')
    const timer = setInterval(() => {
      if (ended) {
        clearInterval(timer)
        response.end()
        return
      }
      response.write('1,some text\n'.repeat(rowsAtOnce))
      rows += rowsAtOnce
    }, interval)
    response.on('close', () => clearInterval(timer))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/flowing.csv`,
    get rows() {
      return rows
    },
    end() {
      ended = true
    },
    close: () =>
      new Promise((resolve) => {
        server.closeAllConnections()
        server.close(() => resolve())
      }),
  }
}
