/**
 * The same JSON in ASCII: all other characters of a JSON text stand in its strings, where they may be written as
 * `\uXXXX`. For databases whose encoding is not UTF-8.
 */
export const asciiJson = (json: string): string =>
  json.replace(/[\u0080-\uFFFF]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`)
