import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { publint } from 'publint'
import { formatMessage } from 'publint/utils'
import type { PackedPackage } from './packed-package.js'
import { runCommand } from './run-command.js'

/** What publint says of a tarball, as strict as it can be; one line each. */
export async function runPublint({ tarball, manifest }: PackedPackage): Promise<string[]> {
  const bytes = readFileSync(tarball)
  const { messages } = await publint({
    strict: true,
    pack: { tarball: bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength) },
  })
  return messages.map((message) => formatMessage(message, { ...manifest }, { color: false }) ?? message.code)
}

/** Whether TypeScript finds the types of every entry, as ESM. Rejects with what it does not find. */
export async function runAttw({ tarball, manifest, folder }: PackedPackage): Promise<void> {
  // A program alone has no types, and says so.
  if (manifest.exports === undefined) return
  const found = createRequire(import.meta.url).resolve('@arethetypeswrong/cli/package.json')
  const attw = join(dirname(found), 'dist/index.js')
  await runCommand(process.execPath, [attw, tarball, '--profile', 'esm-only', '--no-color', '--no-emoji'], {
    folder,
  })
}
