const key = 'ps.token'

/** The token that people typed in, kept for this tab until it is closed. */
export interface TokenStore {
  read(): string | undefined
  write(token: string): void
}

/** A browser that forbids storage keeps the token until the page is left. */
export function createTokenStore(): TokenStore {
  let token: string | undefined
  try {
    token = sessionStorage.getItem(key) ?? undefined
  } catch {
    token = undefined
  }
  return {
    read: () => token,
    write(next) {
      token = next
      try {
        sessionStorage.setItem(key, next)
      } catch {
        // Kept in memory above.
      }
    },
  }
}
