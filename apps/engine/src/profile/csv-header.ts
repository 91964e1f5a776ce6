const delimiters = [',', ';', '\t', '|'] as const

/** What parts the fields of a CSV file. */
export type Delimiter = (typeof delimiters)[number]

/** What the header line tells before it is parsed. */
export interface HeaderLine {
  /** The candidate found most often outside quotes; a comma where there is none. */
  readonly delimiter: Delimiter
  /** How many fields the header has. */
  readonly fields: number
}

/**
 * Finds the delimiter in the header line, which may hold quoted line breaks and have blank lines before it. `undefined`
 * while the line has not ended, unless `complete` says that nothing more will come.
 */
export function readHeaderLine(text: string, complete: boolean): HeaderLine | undefined {
  const counts = new Map<string, number>(delimiters.map((delimiter) => [delimiter, 0]))
  let quoted = false
  let blank = true
  let ended = complete
  for (const character of text) {
    if (character === '"') quoted = !quoted
    if (!quoted && (character === '\n' || character === '\r')) {
      if (blank) continue
      ended = true
      break
    }
    blank = false
    const count = counts.get(character)
    if (count !== undefined && !quoted) counts.set(character, count + 1)
  }
  if (!ended) return undefined
  const count = (delimiter: Delimiter): number => counts.get(delimiter) ?? 0
  const delimiter = delimiters.reduce((most, candidate) =>
    count(candidate) > count(most) ? candidate : most,
  )
  return { delimiter, fields: count(delimiter) + 1 }
}

/** Names that are all different and not empty: `column_3` for an unnamed third column, `name_2` for a second `name`. */
export function uniqueNames(header: readonly string[]): string[] {
  const trimmed = header.map((name) => name.trim())
  const given = new Set(trimmed)
  const taken = new Set<string>()
  return trimmed.map((name, index) => {
    const wanted = name === '' ? `column_${index + 1}` : name
    let unique = wanted
    // A made-up name must not take the name that another column was given.
    for (let number = 2; taken.has(unique) || (unique !== name && given.has(unique)); number++) {
      unique = `${wanted}_${number}`
    }
    taken.add(unique)
    return unique
  })
}
