import { createHash } from 'node:crypto'
import { readdir, readFile } from 'node:fs/promises'
import { extname } from 'node:path'

const types: Readonly<Record<string, string>> = {
  '.css': 'text/css; charset=utf-8',
  '.html': 'text/html; charset=utf-8',
  '.ico': 'image/x-icon',
  '.js': 'text/javascript; charset=utf-8',
  '.map': 'application/json; charset=utf-8',
  '.png': 'image/png',
  '.svg': 'image/svg+xml',
  '.webmanifest': 'application/manifest+json',
  '.woff2': 'font/woff2',
}

export interface DashboardFile {
  readonly content: Buffer
  readonly type: string
  readonly etag: string
}

/** The dashboard's files by name; none where it is not built. */
export async function readDashboardFiles(folder: URL): Promise<ReadonlyMap<string, DashboardFile>> {
  const files = new Map<string, DashboardFile>()
  const names = await readdir(folder).catch(() => [])
  for (const name of names) {
    const type = types[extname(name)]
    if (type === undefined) continue
    const content = await readFile(new URL(name, folder))
    const hash = createHash('sha256').update(content).digest('base64url').slice(0, 22)
    files.set(name, { content, type, etag: `"${hash}"` })
  }
  return files
}
