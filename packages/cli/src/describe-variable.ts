/** The value of a variable, if it has one; of a URL, which may name several hosts or stand in the wrong variable, only what is no secret. */
export function describeVariable(name: string, value: string | undefined): string | undefined {
  if (value === undefined || value.trim() === '') return undefined
  if (!name.endsWith('_URL') && !value.includes('://')) return value
  // An @ or # anywhere else comes from a password that is not encoded, of which a part would be shown; and where the host is
  // left out, the password stands in its place.
  const found =
    /^([a-z0-9+.-]+:\/\/)(?:[^@/?#]*@)?((?:\[[\da-f:.%]+\]|[^@/?#:[\],]*)(?::\d*)?(?:,(?:\[[\da-f:.%]+\]|[^@/?#:[\],]*)(?::\d*)?)*(?:\/[^@?#]*)?)(?:\?[^@#]*)?$/i.exec(
      value.trim(),
    )
  return found === null ? '(set, but not a URL)' : `${found[1]}${found[2]}`
}
