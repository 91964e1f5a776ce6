import { lookup } from 'node:dns'
import { lookup as resolveName } from 'node:dns/promises'
import { BlockList, isIP, type LookupFunction } from 'node:net'

// Addresses that are not on the public internet: IANA's special-purpose registries (RFC 6890 and its successors).
const notPublic = new BlockList()
for (const [network, prefix] of [
  ['0.0.0.0', 8],
  ['10.0.0.0', 8],
  ['100.64.0.0', 10],
  ['127.0.0.0', 8],
  // Public by its number, and yet where a cloud keeps the metadata of its machines.
  ['168.63.129.16', 32],
  ['169.254.0.0', 16],
  ['172.16.0.0', 12],
  ['192.0.0.0', 24],
  ['192.0.2.0', 24],
  ['192.88.99.0', 24],
  ['192.168.0.0', 16],
  ['198.18.0.0', 15],
  ['198.51.100.0', 24],
  ['203.0.113.0', 24],
  ['224.0.0.0', 4],
  ['240.0.0.0', 4],
] as const) {
  notPublic.addSubnet(network, prefix, 'ipv4')
}

const publicIpv6 = new BlockList()
publicIpv6.addSubnet('2000::', 3, 'ipv6')
const notPublicIpv6 = new BlockList()
for (const [network, prefix] of [
  // Documentation, benchmarking and the tunnels that carry an IPv4 address inside.
  ['2001::', 23],
  ['2001:db8::', 32],
  ['2002::', 16],
  ['3fff::', 20],
] as const) {
  notPublicIpv6.addSubnet(network, prefix, 'ipv6')
}

/** Whether an IP address is one of the public internet: not loopback, private, link-local, multicast or otherwise special. */
export function isPublicAddress(address: string): boolean {
  const family = isIP(address)
  if (family === 4) return !notPublic.check(address, 'ipv4')
  // IPv4 addresses written as IPv6 (::ffff:…, 64:ff9b::…) are outside 2000::/3, hence never public here.
  if (family === 6) return publicIpv6.check(address, 'ipv6') && !notPublicIpv6.check(address, 'ipv6')
  return false
}

/** Says why a URL must not be asked for a job's input, without asking DNS; undefined where nothing speaks against it. */
export function refuseSourceUrl(url: URL, allowed: readonly string[]): string | undefined {
  if (url.protocol !== 'http:' && url.protocol !== 'https:') return 'only http: and https: addresses are read'
  if (url.username !== '' || url.password !== '')
    return 'an address with a user or a password in it is not read'
  if (isAllowedSource(url, allowed)) return undefined
  const host = hostOf(url)
  if (isIP(host) !== 0) return isPublicAddress(host) ? undefined : `${host} is not a public address`
  if (host === 'localhost' || host.endsWith('.localhost')) return `${host} is this machine`
  return undefined
}

/** As {@link refuseSourceUrl}, and asks DNS: every address of the name must be public. */
export async function refuseSource(url: URL, allowed: readonly string[]): Promise<string | undefined> {
  const reason = refuseSourceUrl(url, allowed)
  if (reason !== undefined || isAllowedSource(url, allowed)) return reason
  const host = hostOf(url)
  if (isIP(host) !== 0) return undefined
  try {
    const addresses = await resolveName(host, { all: true })
    return addresses.every(({ address }) => isPublicAddress(address))
      ? undefined
      : `${host} is not at a public address`
  } catch {
    return `${host} cannot be found`
  }
}

/** Reads a list of `host` or `host:port`, separated by commas, as `JOB_SOURCE_ALLOW` holds it. */
export const readAllowedSources = (text = ''): string[] =>
  text
    .split(',')
    .map((entry) => entry.trim().toLowerCase())
    .filter(Boolean)

/** Whether `host` or `host:port` of the URL is in the list of those that may stand anywhere. */
export function isAllowedSource(url: URL, allowed: readonly string[]): boolean {
  const port = url.port || (url.protocol === 'https:' ? '443' : '80')
  return allowed.includes(url.hostname) || allowed.includes(`${url.hostname}:${port}`)
}

/**
 * Resolves names for a connection and refuses those that lead to an address that is not public. A check before the
 * request is not enough: DNS may answer differently the next time it is asked.
 */
export const lookupPublic: LookupFunction = (name, options, callback) => {
  lookup(name, { ...options, all: true }, (error, addresses) => {
    if (error !== null) return callback(error, [])
    const [first] = addresses
    if (first === undefined || !addresses.every(({ address }) => isPublicAddress(address))) {
      return callback(Object.assign(new Error(`${name} is not at a public address`), { code: 'EACCES' }), [])
    }
    return options.all === true ? callback(null, addresses) : callback(null, first.address, first.family)
  })
}

// URL keeps the brackets of an IPv6 address, and a name may end with the root's dot.
const hostOf = (url: URL): string => url.hostname.replace(/^\[(.*)\]$/, '$1').replace(/\.$/, '')
