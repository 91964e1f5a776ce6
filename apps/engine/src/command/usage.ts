/** What `engine --help` prints. */
export const usage = `Usage: engine
       engine profile <file> [--json] [--format csv|ndjson]

Without a command it is the worker: it waits for jobs until it is stopped.

profile describes every column of a CSV or NDJSON file: type, range, missing, different and frequent values.

  <file>      a path, or - for standard input
  --json      print the result as JSON instead of a table
  --format    csv or ndjson. Default: ndjson for .ndjson, .jsonl and .json, else csv
`

/** The command line cannot be used. The message says how to correct it. */
export class UsageError extends Error {
  constructor(message: string) {
    super(message)
    this.name = 'UsageError'
  }
}
