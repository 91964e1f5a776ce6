import { connect, type Connection, type ConnectionState } from '@ps/browser'
import { pageElement, setText } from './element.js'
import { createMessageList } from './message-list.js'

export interface ExplorerViewOptions {
  /** The stream of events. */
  readonly address: string
  readonly publish: (channel: string, json: string) => Promise<void>
  /** The server's name for a stream of this page. */
  readonly onStream: (id: string) => void
  readonly onHeard: () => void
}

/** Listens to any channel, from now on or behind an id, and publishes to it. */
export function createExplorerView({ address, publish, onStream, onHeard }: ExplorerViewOptions): void {
  const channel = pageElement('channel', HTMLInputElement)
  const after = pageElement('after', HTMLInputElement)
  const listen = pageElement('listen', HTMLButtonElement)
  const listenNote = pageElement('listen-note', HTMLParagraphElement)
  const message = pageElement('message', HTMLTextAreaElement)
  const send = pageElement('publish', HTMLButtonElement)
  const publishNote = pageElement('publish-note', HTMLParagraphElement)
  const publishForm = pageElement('publish-form', HTMLFormElement)
  const messages = createMessageList({
    onId(id) {
      after.value = id
      showAction()
      after.focus()
    },
  })
  let listeningTo: string | undefined
  let listeningBehind = ''
  let connection: Connection | undefined

  const note = (target: HTMLElement, text: string, problem = false): void => {
    target.classList.toggle('problem', problem)
    setText(target, text)
  }

  const stop = (): void => {
    listeningTo = undefined
    connection?.close()
    connection = undefined
    setText(listen, 'Listen')
  }

  const isAsWanted = (): boolean => channel.value === listeningTo && after.value.trim() === listeningBehind

  const showAction = (): void => setText(listen, isAsWanted() ? 'Stop' : 'Listen')

  const showState = (name: string, state: ConnectionState, hasBefore: boolean): void => {
    if (state.kind === 'live') {
      if (state.stream !== undefined) onStream(state.stream)
      if (!state.confirmed)
        return note(listenNote, `Not listening to ${name} yet: the server waits for a broker.`, true)
      note(listenNote, `Listening to ${name}.${hasBefore ? ` ${resumedWords[state.resumed]}` : ''}`)
    } else if (state.kind === 'reconnecting') note(listenNote, `Not listening now: ${state.reason}.`, true)
    else if (state.kind === 'refused') {
      stop()
      note(listenNote, state.reason, true)
    }
  }

  const start = (name: string): void => {
    const lastEventId = after.value.trim()
    let hasBefore = lastEventId !== ''
    listeningTo = name
    listeningBehind = lastEventId
    messages.clear()
    note(listenNote, `Asking for ${name}…`)
    setText(listen, 'Stop')
    connection = connect(address, {
      channels: [name],
      ...(lastEventId !== '' && { lastEventId }),
      onMessage({ message: heard, id }) {
        onHeard()
        messages.add(heard, id)
      },
      onGap({ reason, missed }) {
        const count = missed === undefined ? 'Something' : `${missed} messages`
        messages.addNote(`${count} may have been missed here: ${reason}`)
      },
      onState(state) {
        showState(name, state, hasBefore)
        hasBefore ||= state.kind === 'live'
      },
    })
  }

  pageElement('listen-form', HTMLFormElement).addEventListener('submit', (event) => {
    event.preventDefault()
    const isStop = isAsWanted()
    stop()
    if (isStop) note(listenNote, 'Not listening.')
    else start(channel.value)
  })

  channel.addEventListener('input', showAction)
  after.addEventListener('input', showAction)

  const publishNow = async (): Promise<void> => {
    if (channel.value === '') {
      channel.focus()
      return note(publishNote, 'Name a channel above first.', true)
    }
    const problem = jsonProblem(message.value)
    if (problem !== undefined) {
      message.focus()
      return note(publishNote, problem, true)
    }
    send.disabled = true
    note(publishNote, 'Publishing…')
    try {
      await publish(channel.value, message.value)
      note(publishNote, `Accepted for ${channel.value}.`)
    } catch (error) {
      note(publishNote, error instanceof Error ? error.message : String(error), true)
    } finally {
      send.disabled = false
    }
  }

  publishForm.addEventListener('submit', (event) => {
    event.preventDefault()
    void publishNow()
  })
  message.addEventListener('keydown', (event) => {
    if (event.key !== 'Enter' || !(event.ctrlKey || event.metaKey)) return
    event.preventDefault()
    publishForm.requestSubmit()
  })
}

/** What became of what was missed before a stream. */
const resumedWords = {
  full: 'Resumed fully: all that came behind the id is here.',
  partial: 'Resumed partly: the gaps among the messages say where something may be missing.',
  none: 'Not resumed: the gap among the messages says why something may be missing.',
} as const

/** What is wrong with a text that is to be JSON, in words; undefined where nothing is. */
function jsonProblem(text: string): string | undefined {
  if (text.trim() === '') return 'Type a message: any JSON, such as "hello", 42 or { "a": 1 }.'
  try {
    JSON.parse(text)
    return undefined
  } catch (error) {
    return `That is not JSON: ${error instanceof Error ? error.message : String(error)}`
  }
}
