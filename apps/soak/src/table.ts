/** One line of the table. */
export interface Row {
  readonly label: string
  readonly cells: readonly string[]
  /** What is allowed, where something is. */
  readonly limit?: string
  readonly broken?: boolean
}

/** The table as text; a broken limit is marked at the end of its line. */
export function renderTable(heads: readonly string[], rows: readonly Row[]): string {
  const texts = rows.map(({ label, cells, limit, broken }) => [
    label,
    ...cells,
    limit === undefined ? '' : `${limit}${broken ? '  ✗ BROKEN' : '  ✓'}`,
  ])
  const all = [['', ...heads, 'limit'], ...texts]
  const width = (column: number): number => Math.max(...all.map((line) => (line[column] ?? '').length))
  const rule = '─'.repeat(all[0]?.reduce((sum, _, column) => sum + width(column) + 2, 0) ?? 0)
  const lines = all.map((line) =>
    line
      .map((text, column) =>
        column === 0 || column === line.length - 1
          ? text.padEnd(width(column))
          : text.padStart(width(column)),
      )
      .join('  ')
      .trimEnd(),
  )
  const [head, ...body] = lines
  return [rule, head, rule, ...body, rule].join('\n')
}

export const percent = (share: number, digits: number): string => `${(share * 100).toFixed(digits)} %`
