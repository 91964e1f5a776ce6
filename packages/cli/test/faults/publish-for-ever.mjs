// Publishes numbers on the channel that it is given, until it is killed.
import { setTimeout as sleep } from 'node:timers/promises'
import { createClient } from '@ps/core'

const [channel = ''] = process.argv.slice(2)
const client = await createClient({
  backends: { redis: () => import('@ps/redis'), postgres: () => import('@ps/postgres') },
})
for (let number = 1; ; number += 1) {
  void client.publish(channel, { number })
  if (number === 20) process.stdout.write('it publishes\n')
  await sleep(5)
}
