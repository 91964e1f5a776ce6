import { pageElement, setText } from './element.js'
import type { TokenStore } from './token.js'

export interface TokenView {
  /** The api refused a call: asks for a token. */
  ask(): void
  /** The api took a call: a form that is still open goes away. */
  accepted(): void
}

/** The form that asks for the api's token. */
export function createTokenView(store: TokenStore, onToken: () => void): TokenView {
  const form = pageElement('token-form', HTMLFormElement)
  const field = pageElement('token', HTMLInputElement)
  // A link cannot carry the token.
  const links = pageElement('api-links', HTMLElement)
  const hint = pageElement('token-hint', HTMLParagraphElement)

  links.hidden = store.read() !== undefined
  const complain = (text: string): void => {
    hint.classList.add('problem')
    setText(hint, text)
  }

  form.addEventListener('submit', (event) => {
    event.preventDefault()
    const token = field.value.trim()
    // Others cannot travel in a header.
    if (!/^[\x21-\x7e]+$/.test(token)) return complain('A token is made of ASCII characters without spaces.')
    store.write(token)
    field.value = ''
    hint.classList.remove('problem')
    setText(hint, 'Trying it…')
    onToken()
  })

  return {
    ask() {
      links.hidden = true
      if (store.read() !== undefined) complain('The server did not take that token.')
      if (!form.hidden) return
      form.hidden = false
      field.focus()
    },
    accepted() {
      form.hidden = true
      hint.classList.remove('problem')
    },
  }
}
