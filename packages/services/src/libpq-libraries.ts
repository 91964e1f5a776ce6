const names = `
  libssl3 libssl3t64 zlib1g libldap-2.5-0 libldap2 libsasl2-2
  libgssapi-krb5-2 libkrb5-3 libk5crypto3 libkrb5support0 libkeyutils1 libcom-err2 libcom-err2t64
`

/** What PostgreSQL's own client library links to, by all the names that it has had in Debian and Ubuntu. */
export const libpqLibraries: readonly string[] = names.trim().split(/\s+/)
