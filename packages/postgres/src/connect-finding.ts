import { describeError, type Finding, isPubSubError } from '@ps/core'

/** How the parts of a finding depend on the failure: by the code of the error that lies below. */
interface Explanation {
  readonly when: RegExp
  readonly code: string
  /** `variable` is the one that holds the URL. */
  readonly fix: (variable: string) => string
}

const byCause: readonly Explanation[] = [
  {
    when: /^(ENOTFOUND|EAI_AGAIN|EAI_NODATA)$/,
    code: 'host_unknown',
    fix: (variable) => `correct the host of ${variable}: no name server knows it from here`,
  },
  {
    when: /^(ECONNREFUSED|ENOENT)$/,
    code: 'refused',
    fix: (variable) =>
      `start PostgreSQL, or correct the host and port of ${variable}; it must listen on that address (listen_addresses), and a container must publish the port`,
  },
  {
    when: /^(ETIMEDOUT|EHOSTUNREACH|ENETUNREACH|PS_MUTE)$/,
    code: 'no_answer',
    fix: (variable) =>
      `correct the host and port of ${variable}, or let this machine through: a firewall or a network of another kind may stand between`,
  },
  {
    when: /^PS_STANDBY$/,
    code: 'hot_standby',
    fix: (variable) =>
      `let ${variable} lead to the primary, or name all hosts, separated by commas: the first that is a primary is used`,
  },
  {
    when: /^PS_NO_TLS$/,
    code: 'tls_not_offered',
    fix: (variable) =>
      `write sslmode=disable in ${variable} where the way to the server is safe, or turn ssl on in the server`,
  },
  {
    when: /^CERT_HAS_EXPIRED$/,
    code: 'certificate_expired',
    fix: () => 'renew the certificate of the server',
  },
  {
    when: /^ERR_TLS_CERT_ALTNAME_INVALID$/,
    code: 'certificate_name',
    fix: (variable) =>
      `write the host in ${variable} as it stands in the certificate, or use sslmode=verify-ca, which does not compare it`,
  },
  {
    when: /^(DEPTH_ZERO|SELF_SIGNED|UNABLE_TO|CERT_)/,
    code: 'certificate_untrusted',
    fix: (variable) =>
      `name the authority that signed it by sslrootcert=/file in ${variable}; sslmode=require encrypts without checking`,
  },
  {
    when: /^(ERR_TLS|ERR_SSL|EPROTO)/,
    code: 'tls',
    fix: (variable) => `check sslmode, sslcert and sslkey of ${variable}`,
  },
  {
    when: /^28P01$/,
    code: 'password',
    fix: (variable) => `correct the user and the password of ${variable}`,
  },
  { when: /^3D000$/, code: 'database_missing', fix: (variable) => `create it, or correct ${variable}` },
  {
    when: /^42501$/,
    code: 'not_permitted',
    fix: () => 'grant connect on the database to the user',
  },
  {
    when: /^53300$/,
    code: 'too_many_connections',
    fix: () =>
      'raise max_connections (or the limit of the user or the database), or end other connections; a client needs two',
  },
  {
    when: /^57P03$/,
    code: 'starting',
    fix: () => 'wait: clients retry by themselves. Where it goes on, the log of the server says why',
  },
]

/** The codes of an error and of all that it was caused by. */
function* codesOf(error: unknown): Generator<string> {
  for (let one = error; one instanceof Error; one = one.cause)
    if ('code' in one && typeof one.code === 'string') yield one.code
}

/** Says why the server that `variable` leads to cannot be used. */
export function connectFinding(error: unknown, variable: string): Finding {
  const message = describeError(error)
  const problem = (code: string, fix: string): Finding => ({ code, severity: 'problem', message, fix })
  if (/no encryption|SSL off/i.test(message))
    return problem(
      'tls_required',
      `add sslmode=require to ${variable}, or verify-full with sslrootcert; where that changes nothing, admit this machine in pg_hba.conf`,
    )
  for (const code of codesOf(error)) {
    const found = byCause.find(({ when }) => when.test(code))
    if (found !== undefined) return problem(found.code, found.fix(variable))
  }
  if (isPubSubError(error, 'authentication'))
    return problem('not_admitted', `correct the user of ${variable}, or admit it in pg_hba.conf`)
  if (isPubSubError(error, 'configuration')) return problem('url', `correct ${variable}`)
  return problem('unreachable', `see whether a PostgreSQL stands where ${variable} leads`)
}
