import { describeError, type Finding, isPubSubError } from '@ps/core'

interface Explanation {
  /** Matches the code of the error that lies below, or the message. */
  readonly when: RegExp
  readonly code: string
  readonly fix: string
}

const byCause: readonly Explanation[] = [
  {
    when: /^(ENOTFOUND|EAI_AGAIN|EAI_NODATA)$/,
    code: 'host_unknown',
    fix: 'correct the host of REDIS_URL: no name server knows it from here',
  },
  {
    when: /^ECONNREFUSED$/,
    code: 'refused',
    fix: 'start Redis, or correct the host and port of REDIS_URL; it must listen on that address (bind), and a container must publish the port',
  },
  {
    when: /^CERT_HAS_EXPIRED$/,
    code: 'certificate_expired',
    fix: 'renew the certificate of the server',
  },
  {
    when: /^ERR_TLS_CERT_ALTNAME_INVALID$/,
    code: 'certificate_name',
    fix: 'write the host in REDIS_URL as it stands in the certificate',
  },
  {
    when: /^(DEPTH_ZERO|SELF_SIGNED|UNABLE_TO|CERT_)/,
    code: 'certificate_untrusted',
    fix: 'name the authority that signed it by ?ca=/file in REDIS_URL',
  },
]

const byMessage: readonly Explanation[] = [
  {
    when: /begins with rediss$/,
    code: 'tls_required',
    fix: 'let REDIS_URL begin with rediss, with ?ca=/file for an authority of your own',
  },
  {
    when: /begins with redis, not rediss/,
    code: 'tls_not_offered',
    fix: 'let REDIS_URL begin with redis where the server has no TLS; else see what stands between',
  },
  {
    when: /ETIMEDOUT|EHOSTUNREACH|ENETUNREACH|not answered/,
    code: 'no_answer',
    fix: 'correct the host and port of REDIS_URL, or let this machine through: a firewall or a network of another kind may stand between',
  },
  { when: /no TLS connection/, code: 'tls', fix: 'see whether the port of REDIS_URL speaks TLS' },
  {
    when: /asks for a password/,
    code: 'password',
    fix: 'write REDIS_URL as redis://user:password@host:port; for a server without users redis://:password@host:port',
  },
  {
    when: /LOADING/,
    code: 'loading',
    fix: 'wait: it reads its data from disk. Clients retry by themselves',
  },
  {
    when: /max number of clients/i,
    code: 'too_many_connections',
    fix: 'raise maxclients, or end other connections; a client needs two',
  },
  {
    when: /protected mode/i,
    code: 'protected_mode',
    fix: 'give the server a password (requirepass, or users): without one it takes connections of its own machine only',
  },
  {
    when: /is no node of a cluster|is no sentinel/,
    code: 'other_kind',
    fix: 'let REDIS_URL begin with redis:// or rediss:// for one server',
  },
  {
    when: /knows no master/,
    code: 'master_unknown',
    fix: 'end REDIS_URL with the name that stands in "sentinel monitor"',
  },
  {
    when: /cluster does not serve|cluster_state/,
    code: 'cluster_down',
    fix: 'see CLUSTER INFO and CLUSTER NODES: a slot has no master that lives',
  },
]

function* codesOf(error: unknown): Generator<string> {
  for (let one = error; one instanceof Error; one = one.cause)
    if ('code' in one && typeof one.code === 'string') yield one.code
}

/** Says why the Redis that the URL leads to cannot be used. */
export function connectFinding(error: unknown): Finding {
  const message = describeError(error)
  const codes = [...codesOf(error)]
  const found =
    byCause.find(({ when }) => codes.some((code) => when.test(code))) ??
    byMessage.find(({ when }) => when.test(message))
  const problem = (code: string, fix: string): Finding => ({ code, severity: 'problem', message, fix })
  if (found !== undefined) return problem(found.code, found.fix)
  if (isPubSubError(error, 'authentication'))
    return problem('password', 'correct the user and the password of REDIS_URL')
  if (isPubSubError(error, 'configuration')) return problem('url', 'correct REDIS_URL')
  return problem('unreachable', 'see whether a Redis stands where REDIS_URL leads')
}
