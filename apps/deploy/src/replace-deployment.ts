import { readdirSync, renameSync, rmSync } from 'node:fs'
import { join } from 'node:path'

/** Moves a new deployment into `folder`, in place of an earlier one. What the app has stored there stays. */
export function replaceDeployment(folder: string, made: string): void {
  for (const entry of readdirSync(made)) {
    rmSync(join(folder, entry), { recursive: true, force: true })
    renameSync(join(made, entry), join(folder, entry))
  }
}
