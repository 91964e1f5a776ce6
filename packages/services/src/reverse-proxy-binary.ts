import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { type DebianPackages, hasDebianPackages, unpackDebianPackages } from './debian-packages.js'
import { onPath } from './on-path.js'

export type ReverseProxyName = 'nginx' | 'caddy'

/** How to run a reverse proxy. */
export interface ReverseProxyBinary {
  readonly file: string
  readonly environment: NodeJS.ProcessEnv
}

interface Origin {
  readonly packages: DebianPackages
  readonly file: string
  readonly version: string
}

const origins: Readonly<Record<ReverseProxyName, Origin>> = {
  nginx: {
    packages: {
      name: 'nginx',
      required: ['nginx'],
      // In older Ubuntu the program is in nginx-core.
      optional: ['nginx-core', 'libpcre2-8-0', 'libpcre3', 'libssl3', 'libssl3t64'],
    },
    file: 'usr/sbin/nginx',
    version: '-v',
  },
  caddy: {
    packages: { name: 'caddy', required: ['caddy'], optional: [] },
    file: 'usr/bin/caddy',
    version: 'version',
  },
}

/** Finds it on the PATH, else unpacked from the packages of Debian or Ubuntu. Gives the reason where there is none. */
export async function findReverseProxy(
  name: ReverseProxyName,
): Promise<ReverseProxyBinary | { reason: string }> {
  const onOwnPath = onPath(name)
  if (onOwnPath !== undefined) return { file: onOwnPath, environment: process.env }
  if (!hasDebianPackages()) {
    return { reason: `no ${name} is on the PATH, and this is not Debian or Ubuntu: install it` }
  }
  const { packages, file: inside, version } = origins[name]
  try {
    const { folder, environment } = await unpackDebianPackages(packages)
    const file = join(folder, inside)
    const check = spawnSync(file, [version], { env: environment, encoding: 'utf8' })
    if (check.status !== 0) {
      throw new Error(`the unpacked ${name} does not run: ${(check.stderr || String(check.error)).trim()}`)
    }
    return { file, environment }
  } catch (error) {
    const because = error instanceof Error ? error.message : String(error)
    return {
      reason: `no ${name} is on the PATH, and its packages cannot be had (${because}): install it`,
    }
  }
}
