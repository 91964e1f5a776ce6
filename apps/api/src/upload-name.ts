const maxLength = 255

// Control characters, and those that turn the direction of text around.
const misleading = /[\p{Cc}\u202a-\u202e\u2066-\u2069]/gu

/** A name as people may see it: the last part of a path, without control characters; undefined where nothing is left. */
export function tidyName(name: string | undefined): string | undefined {
  const [last = ''] = (name ?? '').split(/[/\\]/).slice(-1)
  const tidy = last.replace(misleading, '').trim().slice(0, maxLength).toWellFormed()
  return tidy === '' ? undefined : tidy
}

/** The file's name in a `Content-Disposition` header, or at the end of an address; empty where there is none. */
export function fileNameOf(place: string | URL | undefined): string {
  if (place instanceof URL) return decoded(place.pathname.split('/').at(-1) ?? '')
  const [, extended] = /;\s*filename\*\s*=\s*utf-8''([^;\s]+)/i.exec(place ?? '') ?? []
  if (extended !== undefined) return decoded(extended)
  const [, quoted, plain] = /;\s*filename\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^;\s]+))/i.exec(place ?? '') ?? []
  return quoted?.replace(/\\(.)/g, '$1') ?? plain ?? ''
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}
