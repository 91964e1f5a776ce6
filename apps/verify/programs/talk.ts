import { type Client, getDefaultClient, type Subscription } from '@ps/core'

interface Channels {
  greetings: { readonly hello: string }
}

const client: Client<Channels> = await getDefaultClient<Channels>()
let hear: (word: string) => void = () => {}
const heard = new Promise<string>((resolve) => {
  hear = resolve
})
const subscription: Subscription = await client.listen('greetings', ({ hello }) => hear(hello))
const isAccepted: boolean = await client.publish('greetings', { hello: 'world' })
const { backend } = await client.health()
console.log(`${isAccepted ? 'accepted' : 'not accepted'}, heard ${await heard} over ${backend}`)
await subscription.unsubscribe()
await client.close()

export const wrongMessage = (): Promise<boolean> =>
  // @ts-expect-error: it is known what a channel carries.
  client.publish('greetings', { hello: 7 })
