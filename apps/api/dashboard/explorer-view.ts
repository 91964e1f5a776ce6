import { pageElement, setText } from './element.js'
import { createMessageList } from './message-list.js'

export interface ExplorerViewOptions {
  readonly publish: (channel: string, json: string) => Promise<void>
  /** Listens to this channel from now on, or to none. */
  readonly onListen: (channel: string | undefined) => void
}

export interface ExplorerView {
  receive(message: unknown): void
  /** Messages may be missing at this place of the list. */
  gap(reason: string, missed: number | undefined): void
  /** The channel arrives from now on. */
  live(): void
  /** The server will not let it be listened to. */
  refuse(reason: string): void
}

/** Listens to any channel and publishes to it. */
export function createExplorerView({ publish, onListen }: ExplorerViewOptions): ExplorerView {
  const channel = pageElement('channel', HTMLInputElement)
  const listen = pageElement('listen', HTMLButtonElement)
  const listenNote = pageElement('listen-note', HTMLParagraphElement)
  const message = pageElement('message', HTMLTextAreaElement)
  const send = pageElement('publish', HTMLButtonElement)
  const publishNote = pageElement('publish-note', HTMLParagraphElement)
  const publishForm = pageElement('publish-form', HTMLFormElement)
  const messages = createMessageList()
  let listeningTo: string | undefined

  const note = (target: HTMLElement, text: string, problem = false): void => {
    target.classList.toggle('problem', problem)
    setText(target, text)
  }

  const stop = (): void => {
    listeningTo = undefined
    setText(listen, 'Listen')
    onListen(undefined)
  }

  pageElement('listen-form', HTMLFormElement).addEventListener('submit', (event) => {
    event.preventDefault()
    if (channel.value === listeningTo) {
      stop()
      return note(listenNote, 'Not listening.')
    }
    listeningTo = channel.value
    messages.clear()
    note(listenNote, `Asking for ${listeningTo}…`)
    setText(listen, 'Stop')
    onListen(listeningTo)
  })

  channel.addEventListener('input', () => {
    setText(listen, listeningTo !== undefined && channel.value === listeningTo ? 'Stop' : 'Listen')
  })

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

  return {
    receive: messages.add,
    gap(reason, missed) {
      const count = missed === undefined ? 'Something' : `${missed} messages`
      messages.addNote(`${count} may have been missed here: ${reason}`)
    },
    live() {
      if (listeningTo !== undefined) note(listenNote, `Listening to ${listeningTo}.`)
    },
    refuse(reason) {
      stop()
      note(listenNote, reason, true)
    },
  }
}

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
