import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { parseConnectionUrl } from '../src/connection-url.js'

beforeEach(() => {
  for (const name of [
    'HOST',
    'PORT',
    'USER',
    'USERNAME',
    'PASSWORD',
    'DATABASE',
    'SSLMODE',
    'TARGETSESSIONATTRS',
  ])
    vi.stubEnv(`PG${name}`, undefined)
})

afterEach(() => {
  vi.unstubAllEnvs()
})

test('a URL may say everything, percent-encoded', () => {
  expect(
    parseConnectionUrl(
      'postgresql://us%40er:p%3Aa%2Fs%25s@db.example:6432/my%20db?application_name=shop&options=-c%20x%3D1',
    ),
  ).toEqual({
    addresses: [{ host: 'db.example', port: 6_432 }],
    encryptions: [false],
    user: 'us@er',
    password: 'p:a/s%s',
    database: 'my db',
    session: { application_name: 'shop', options: '-c x=1' },
  })
})

test('what a URL leaves out comes from the environment, then from the defaults', () => {
  vi.stubEnv('PGUSER', 'me')
  expect(parseConnectionUrl('postgres://')).toEqual({
    addresses: [{ host: 'localhost', port: 5_432 }],
    encryptions: [false],
    user: 'me',
    password: '',
    database: 'me',
    session: { application_name: '@ps' },
  })
  vi.stubEnv('PGHOST', '/run/postgresql')
  vi.stubEnv('PGPORT', '5433')
  vi.stubEnv('PGPASSWORD', 'secret')
  vi.stubEnv('PGDATABASE', 'shop')
  vi.stubEnv('PGSSLMODE', 'require')
  expect(parseConnectionUrl('postgres:///')).toMatchObject({
    addresses: [{ host: '/run/postgresql', port: 5_433 }],
    encryptions: [{ required: true }],
    password: 'secret',
    database: 'shop',
  })
  expect(parseConnectionUrl('postgres://you:@elsewhere:1/x?sslmode=disable')).toMatchObject({
    addresses: [{ host: 'elsewhere', port: 1 }],
    encryptions: [false],
    user: 'you',
    password: '',
    database: 'x',
  })
})

test.each([
  ['a', [['a', 5_432]]],
  [
    'a:1,b,c:3',
    [
      ['a', 1],
      ['b', 5_432],
      ['c', 3],
    ],
  ],
  ['[::1]:7', [['::1', 7]]],
  [
    '[fe80::1],a',
    [
      ['fe80::1', 5_432],
      ['a', 5_432],
    ],
  ],
  ['%2Frun%2Fpostgresql:5433', [['/run/postgresql', 5_433]]],
])('the hosts of postgres://%s/x are understood', (hosts, addresses) => {
  expect(parseConnectionUrl(`postgres://u@${hosts}/x`).addresses).toEqual(
    addresses.map(([host, port]) => ({ host, port })),
  )
})

test('the parameters of libpq for host, port, user, password and dbname are understood', () => {
  expect(parseConnectionUrl('postgres://?host=/tmp&port=1&user=u&password=p%26&dbname=d')).toMatchObject({
    addresses: [{ host: '/tmp', port: 1 }],
    user: 'u',
    password: 'p&',
    database: 'd',
  })
})

test('parameters of other drivers are not sent to the server', () => {
  expect(
    parseConnectionUrl('postgres://u@h/d?schema=public&connection_limit=5&pgbouncer=true').session,
  ).toEqual({
    application_name: '@ps',
  })
})

test.each([
  ['disable', [false]],
  ['allow', [false, { required: true, options: { rejectUnauthorized: false } }]],
  ['prefer', [{ required: false, options: { rejectUnauthorized: false } }, false]],
  ['require', [{ required: true, options: { rejectUnauthorized: false } }]],
  ['verify-full', [{ required: true, options: { rejectUnauthorized: true } }]],
])('sslmode=%s means what it means to libpq', (mode, encryptions) => {
  expect(parseConnectionUrl(`postgres://u@h/d?sslmode=${mode}`).encryptions).toEqual(encryptions)
})

test('ssl of other drivers is a switch, or a mode, and never no TLS without a word', () => {
  const encryptions = (ssl: string) => parseConnectionUrl(`postgres://u@h/d?ssl=${ssl}`).encryptions
  for (const off of ['false', '0', 'disable']) expect(encryptions(off)).toEqual([false])
  for (const mode of ['require', 'prefer', 'verify-full'])
    expect(encryptions(mode)).toEqual(parseConnectionUrl(`postgres://u@h/d?sslmode=${mode}`).encryptions)
  expect(() => encryptions('please')).toThrow(/sslmode is none of/)
})

test('ssl=true is sslmode=require, and sslrootcert=system is sslmode=verify-full', () => {
  expect(parseConnectionUrl('postgres://u@h/d?ssl=true').encryptions).toEqual([
    { required: true, options: { rejectUnauthorized: false } },
  ])
  expect(parseConnectionUrl('postgres://u@h/d?sslrootcert=system').encryptions).toEqual([
    { required: true, options: { rejectUnauthorized: true } },
  ])
})

test.each([
  ['', 'not of the form'],
  ['localhost/x', 'not of the form'],
  ['redis://localhost', 'not of the form'],
  ['postgres://u:secret#1@h/d', 'percent-encoded'],
  ['postgres://u:secret/1@h/d', 'percent-encoded'],
  ['postgres://u:1/secret@h/d', 'percent-encoded'],
  ['postgres://u:1?secret@h/d', 'percent-encoded'],
  ['postgres://u:se%cret@h/d', '%25'],
  ['postgres://u:secret@h:0/d', 'port'],
  ['postgres://u:secret@h:x/d', 'port'],
  ['postgres://u:secret@[::1/d', 'IPv6'],
  ['postgres://u:secret@h/d?sslmode=maybe', 'sslmode'],
  ['postgres://u:secret@h/d?sslmode=verify-ca&sslrootcert=/no/such/file', 'sslrootcert'],
  ['postgres://u:secret@h/d?target_session_attrs=standby', 'standby'],
])('%s is refused with what is wrong, without the password', (url, reason) => {
  let message = ''
  try {
    parseConnectionUrl(url)
  } catch (error) {
    message = String(error)
  }
  expect(message).toContain(reason)
  expect(message).not.toContain('secret')
  expect(message).not.toContain('se%cret')
})
