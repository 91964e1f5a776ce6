// A process of a fleet that listens on numbered channels until it is told to close. It answers each order with what it has
// heard of every publisher, by channel.
import { getDefaultClient } from '@ps/core'

const [channels] = process.argv.slice(2)
const client = await getDefaultClient()
const streams = {}
const troubles = []

const hear = (channel, message) => {
  const { publisher, sequence, times, filler } = message
  const stream = `${publisher} on ${channel}`
  if (
    Object.keys(message).join() !== 'publisher,sequence,times,filler' ||
    filler !== String(sequence).repeat(times)
  )
    troubles.push(
      `${stream}: ${sequence} is not what was published: ${JSON.stringify(message).slice(0, 200)}`,
    )
  const heard = (streams[stream] ??= { first: sequence, next: sequence, holes: [] })
  if (sequence < heard.next) {
    troubles.push(`${stream}: ${sequence} came after ${heard.next - 1}`)
    return
  }
  if (sequence > heard.next) heard.holes.push([heard.next, sequence - 1])
  heard.next = sequence + 1
}

await Promise.all(
  Array.from({ length: Number(channels) }, (_, channel) =>
    client.listen(String(channel), (message) => hear(channel, message), {
      onGap: ({ reason }) => troubles.push(`a gap on ${channel}: ${reason}`),
    }),
  ),
)
process.on('disconnect', () => process.exit(1))
const obey = async (order) => {
  if (order === 'close') await client.close()
  process.send({ streams, troubles })
  if (order === 'close') {
    process.removeAllListeners('disconnect')
    process.disconnect()
  }
}
process.on('message', (order) => void obey(order))
process.send('ready')
