// A program that listens and writes a line for each message (its first 20 characters), each gap and each change of its
// state. The message "block" blocks its event loop for 3 s.
import { createClient } from '@ps/core'
import { createBackend } from '@ps/redis'

const [channel] = process.argv.slice(2)
const client = await createClient({ backend: 'redis', backends: { redis: () => ({ createBackend }) } })
const write = (line) => process.stdout.write(`${line}\n`)
client.on('state', ({ state }) => write(state))
await client.listen(
  channel,
  (message) => {
    write(`message ${String(message).slice(0, 20)}`)
    if (message === 'block') Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 3_000)
  },
  { onGap: () => write('gap') },
)
write('listening')
