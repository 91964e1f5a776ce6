import { pageElement, setText } from './element.js'

export interface TokenViewOptions {
  /** Begins a session; rejects where the server does not take the token. */
  readonly onToken: (token: string) => Promise<void>
}

export interface TokenView {
  /** The api refused a call: asks for a token, and says why the one before will not do, where that is known. */
  ask(problem?: string): void
  /** The api took a call: a form that is still open goes away. */
  accepted(): void
}

/** The form that asks for the api's token. */
export function createTokenView({ onToken }: TokenViewOptions): TokenView {
  const form = pageElement('token-form', HTMLFormElement)
  const field = pageElement('token', HTMLInputElement)
  const hint = pageElement('token-hint', HTMLParagraphElement)
  const firstHint = hint.textContent ?? ''

  const say = (text: string, problem: boolean): void => {
    hint.classList.toggle('problem', problem)
    setText(hint, text)
  }

  form.addEventListener('submit', (event) => {
    event.preventDefault()
    const token = field.value.trim()
    // Others cannot travel in a header.
    if (!/^[\x21-\x7e]+$/.test(token)) return say('A token is made of ASCII characters without spaces.', true)
    field.value = ''
    say('Trying it…', false)
    onToken(token).catch((error: unknown) =>
      say(error instanceof Error ? error.message : String(error), true),
    )
  })

  return {
    ask(problem) {
      if (!form.hidden) return
      say(problem ?? firstHint, problem !== undefined)
      form.hidden = false
      field.focus()
    },
    accepted() {
      form.hidden = true
    },
  }
}
