import { getDefaultClient } from '@ps/core'

// As the error of a bundle says it.
const client = await getDefaultClient({ backends: { redis: () => import('@ps/redis') } })
let hear
const heard = new Promise((resolve) => {
  hear = resolve
})
await client.listen('greetings', ({ hello }) => hear(hello))
const isAccepted = await client.publish('greetings', { hello: 'world' })
const { backend } = await client.health()
console.log(`${isAccepted ? 'accepted' : 'not accepted'}, heard ${await heard} over ${backend}`)
await client.close()
