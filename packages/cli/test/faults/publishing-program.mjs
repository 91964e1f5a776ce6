// A process of a fleet that publishes on numbered channels without pause, until it is told to close. It answers each order
// with how many messages it has published on every channel, and how many of all it was refused.
import { getDefaultClient } from '@ps/core'

const [name, channels] = process.argv.slice(2)
const client = await getDefaultClient()
const next = Array.from({ length: Number(channels) }, () => 0)
let refused = 0

/** Most are small; some do not fit one notification of PostgreSQL. */
const timesOf = (sequence) => (sequence % 20 === 0 ? 4_000 : sequence % 5 === 0 ? 300 : 2)

const publish = async (channel) => {
  const sequence = next[channel]
  next[channel] += 1
  const times = timesOf(sequence)
  const message = { publisher: name, sequence, times, filler: String(sequence).repeat(times) }
  if (!(await client.publish(String(channel), message))) refused += 1
}

const timer = setInterval(() => next.forEach((_, channel) => void publish(channel)), 20)
process.on('disconnect', () => process.exit(1))
const obey = async (order) => {
  const { backend } = await client.health()
  if (order === 'close') {
    clearInterval(timer)
    // With messages under way: to close in order is to bring them to an end.
    await client.close()
  }
  process.send({ next: [...next], refused, backend })
  if (order === 'close') {
    process.removeAllListeners('disconnect')
    process.disconnect()
  }
}
process.on('message', (order) => void obey(order))
process.send('ready')
