import { existsSync } from 'node:fs'
import { delimiter, join } from 'node:path'

/** Where a program is that can be called by its name alone. */
export function onPath(program: string): string | undefined {
  return (process.env.PATH ?? '')
    .split(delimiter)
    .map((folder) => join(folder, program))
    .find((file) => existsSync(file))
}
