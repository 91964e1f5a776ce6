const token = /"(?:[^"\\]|\\.)*"|[{}[\]:,]|[^\s"{}[\]:,]+/g

/**
 * The members of a JSON object, each value as it is written in the source but for the white space. For what parsing
 * would change: the digits of large integers. The source must have been parsed successfully before.
 */
export function memberTexts(source: string): Map<string, string> {
  const members = new Map<string, string>()
  let depth = 0
  let key: string | undefined
  let value: string | undefined
  for (const [text] of source.matchAll(token)) {
    if (text === '}' || text === ']') depth--
    const endsMember = (text === ',' && depth === 1) || (text === '}' && depth === 0)
    if (endsMember && key !== undefined && value !== undefined) {
      members.set(key, value)
      key = undefined
      value = undefined
    } else if (value !== undefined) value += text
    else if (text === ':') value = ''
    else if (text.startsWith('"')) key = String(JSON.parse(text))
    if (text === '{' || text === '[') depth++
  }
  return members
}
