import { expect, it } from 'vitest'
import { createBackend } from '../src/index.js'
import { parseConnectionUrl } from '../src/connection-url.js'

const defaults = {
  host: 'localhost',
  port: 6379,
  username: '',
  password: '',
  tls: undefined,
  unknownParameters: [],
}

it.for<[string, object]>([
  ['redis://', {}],
  ['redis:///0', {}],
  ['redis://example.org', { host: 'example.org' }],
  ['redis://example.org:7000/15', { host: 'example.org', port: 7000 }],
  ['redis://:secret@example.org', { host: 'example.org', password: 'secret' }],
  [
    'redis://user:s%40%2F%23%3F%25%3A@example.org',
    { host: 'example.org', username: 'user', password: 's@/#?%:' },
  ],
  ['redis://[::1]:7000', { host: '::1', port: 7000 }],
  ['rediss://example.org', { host: 'example.org', tls: {} }],
  ['REDISS://example.org', { host: 'example.org', tls: {} }],
  ['redis://localhost?family=6&timeout=3', { unknownParameters: ['family', 'timeout'] }],
  // What follows an & in a password is no name to be told.
  ['redis://localhost?family=6&password=s3&cret', { unknownParameters: ['family', 'password'] }],
])('%s is understood', ([url, expected]) => {
  expect(parseConnectionUrl(url)).toEqual({ ...defaults, ...expected })
})

it.for([
  ['', 'it begins neither with redis:// nor with rediss://'],
  ['localhost:6379', 'it begins neither with redis:// nor with rediss://'],
  ['postgres://user:secret@localhost', 'it begins neither with redis:// nor with rediss://'],
  ['redis://localhost:secret', 'it is not of the form'],
  ['redis://localhost:0', 'its port is 0'],
  ['redis://localhost:99999', 'it is not of the form'],
  ['redis://localhost/secret', 'its database is not a number'],
  ['redis://:sec#ret@localhost', 'it is not of the form'],
  ['redis://user:1#ret@localhost', 'it is not of the form'],
  ['redis://user:1/secret@localhost', 'its database is not a number'],
  ['redis://user:1?secret@localhost', 'it is not of the form'],
  ['redis://:secret%@localhost', 'its password holds a %'],
  ['redis://localhost?ca=/secret', 'rediss://'],
  ['rediss://localhost?ca=/no/such/file', 'the file of its parameter ca cannot be read'],
] as const)('%s is refused with what is wrong, and shows no password', async ([url, reason]) => {
  const events = { message() {}, gap() {}, state() {}, invalid() {} }
  const backend = createBackend({ url })
  const error = await backend.start(events).catch((error: unknown) => error)
  expect(error).toMatchObject({ name: 'PubSubError', code: 'configuration', backend: 'redis' })
  expect(String(error)).toContain(reason)
  expect(String(error)).not.toContain('secret')
  await backend.close()
})
