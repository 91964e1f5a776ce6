import { originPrefix, originWrapper } from './origin.js'

const brace = 0x7b

/** What every payload of a publisher begins with. */
export const originHead = (publisher: string): string => `${originPrefix}${publisher};`

/**
 * The payload of a message with its origin. `head` is that of its publisher, `text` a JSON text or a pack of `count`
 * messages.
 */
export function withOrigin(
  head: string,
  sequence: number,
  isFirst: boolean,
  text: string,
  count = 1,
): string {
  // A member of the same name would stand twice; `$` is rare, so this is quicker than to look for `"$ps"`.
  const isWrapped = text.charCodeAt(0) !== brace || (count === 1 && text.includes('$ps"'))
  if (!isWrapped && !isFirst && count === 1 && text.length > 2) return `${head + sequence}",${text.slice(1)}`
  const flags = `${isWrapped ? 'w' : ''}${isFirst ? 'f' : ''}${count > 1 ? count : ''}`
  const origin = `${head + sequence}${flags === '' ? '' : `;${flags}`}"`
  if (isWrapped) return `${origin},${originWrapper}${text}}`
  return text === '{}' ? `${origin}}` : `${origin},${text.slice(1)}`
}
