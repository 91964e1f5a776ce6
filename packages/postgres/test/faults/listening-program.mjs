// A program that listens and writes a line for each message and each gap.
import { createClient } from '@ps/core'
import { createBackend } from '@ps/postgres'

const [channel] = process.argv.slice(2)
const client = await createClient({ backend: 'postgres', backends: { postgres: () => ({ createBackend }) } })
const write = (line) => process.stdout.write(`${line}\n`)
await client.listen(channel, (message) => write(`message ${String(message)}`), { onGap: () => write('gap') })
write('listening')
