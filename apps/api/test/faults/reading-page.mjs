// What a page does, over the address that it is given: says each thing that it hears on a line of its own.
import { connect } from '@ps/browser'

const [address, token, channel] = process.argv.slice(2)
const say = (what) => console.log(JSON.stringify(what))
connect(address, {
  token,
  channels: [channel],
  onMessage: ({ message }) => say({ message }),
  onGap: ({ reason }) => say({ gap: reason }),
  onState: ({ kind, reason }) => say({ state: kind, reason }),
})
