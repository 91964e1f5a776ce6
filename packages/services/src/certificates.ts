import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { generate } from 'selfsigned'

export interface Certificates {
  /** What a client must trust. */
  readonly authorityFile: string
  readonly certificateFile: string
  readonly keyFile: string
}

/** What a server speaks: TLS, with a certificate for localhost and 127.0.0.1 that is valid, or was until yesterday. */
export type ServerTls = boolean | 'expired'

/** Writes a certificate for localhost and 127.0.0.1 that vouches for itself into `folder`; `own` gives each file to the server's user. */
export async function createCertificates(
  folder: string,
  own: (path: string) => string,
  isExpired = false,
): Promise<Certificates> {
  const day = 24 * 60 * 60 * 1_000
  const { cert, private: key } = await generate([{ name: 'commonName', value: 'localhost' }], {
    keySize: 2048,
    algorithm: 'sha256',
    ...(isExpired && {
      notBeforeDate: new Date(Date.now() - 2 * day),
      notAfterDate: new Date(Date.now() - day),
    }),
    extensions: [
      { name: 'basicConstraints', cA: true },
      {
        name: 'subjectAltName',
        altNames: [
          { type: 2, value: 'localhost' },
          { type: 7, ip: '127.0.0.1' },
        ],
      },
    ],
  })
  const certificateFile = join(folder, 'server.crt')
  const keyFile = join(folder, 'server.key')
  writeFileSync(certificateFile, cert, { mode: 0o644 })
  writeFileSync(keyFile, key, { mode: 0o600 })
  own(certificateFile)
  own(keyFile)
  return { authorityFile: certificateFile, certificateFile, keyFile }
}
