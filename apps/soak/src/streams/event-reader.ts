import type { StreamEvent } from './stream-audit.js'

/** Reads Server-Sent Events as they come; what is cut off in the middle counts as nothing, as in a browser. */
export function createEventReader(onEvent: (event: StreamEvent) => void): (text: string) => void {
  let rest = ''
  return (text) => {
    const blocks = (rest + text).split('\n\n')
    rest = blocks.pop() ?? ''
    for (const block of blocks) {
      let id: string | undefined
      let event = 'message'
      let data: string | undefined
      for (const line of block.split('\n')) {
        if (line.startsWith('data: ')) data = line.slice(6)
        else if (line.startsWith('id: ')) id = line.slice(4)
        else if (line.startsWith('event: ')) event = line.slice(7)
      }
      if (data !== undefined) onEvent({ id, event, data: JSON.parse(data) as StreamEvent['data'] })
    }
  }
}
