/** `crypto.randomUUID` is missing where the page came over plain HTTP from another computer. */
export function randomName(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(12))
  return [...bytes].map((byte) => byte.toString(16).padStart(2, '0')).join('')
}
