import { expect, it } from 'vitest'
import { parseServerListUrl } from '../src/server-list-url.js'
import { createBackend } from '../src/index.js'

const form = 'redis+cluster://user:password@host:6379,host:6379'
const parse = (url: string) => parseServerListUrl(url, { form, defaultPort: 6379, own: ['other'] })
const plain = { username: '', password: '', tls: undefined, unknownParameters: [] }

it.for<[string, object[], string?]>([
  ['redis+cluster://a', [{ host: 'a', port: 6379 }]],
  [
    'redis+cluster://a:1,b,[::1]:2,[::2]',
    [
      { host: 'a', port: 1 },
      { host: 'b', port: 6379 },
      { host: '::1', port: 2 },
      { host: '::2', port: 6379 },
    ],
  ],
  [
    'redis+cluster://user:s%40%2F%23%3F%25%3A%2C@a,b/name',
    ['a', 'b'].map((host) => ({ host, port: 6379, username: 'user', password: 's@/#?%:,' })),
    'name',
  ],
  ['redis+cluster://:s,:t@a', [{ host: 'a', port: 6379, password: 's,:t' }]],
  ['REDISS+CLUSTER://a', [{ host: 'a', port: 6379, tls: {} }]],
  ['redis+cluster://a?family=6&other=1', [{ host: 'a', port: 6379, unknownParameters: ['family'] }]],
])('%s is understood', ([url, servers, path = '']) => {
  expect(parse(url)).toMatchObject({ servers: servers.map((server) => ({ ...plain, ...server })), path })
})

it('parameters that mean something to the kind are given, and are not those of a server', () => {
  expect(parse('redis+cluster://a?other=s%26t').parameters.get('other')).toBe('s&t')
})

it.for([
  ['redis+cluster://', 'it names a server without a name'],
  ['redis+cluster://a,,b', 'it names a server without a name'],
  ['redis+cluster://a,', 'it names a server without a name'],
  ['redis+cluster://:secret@', 'it names a server without a name'],
  ['redis+cluster://:7000', 'it names a server without a name'],
  ['redis+cluster://a:99999', `it is not of the form ${form}`],
  ['redis+cluster://a:0', 'its port is 0'],
  ['redis+cluster://a:secret', `it is not of the form ${form}`],
  ['redis+cluster://a b', `it is not of the form ${form}`],
  ['redis+cluster://::1', `it is not of the form ${form}`],
  ['redis+cluster:a', `it is not of the form ${form}`],
  ['redis+cluster://user:sec/ret@a', `it is not of the form ${form}`],
  ['redis+cluster://user:sec?ret@a', `it is not of the form ${form}`],
  ['redis+cluster://user:sec#ret@a', `it is not of the form ${form}`],
  ['redis+cluster://user:sec@ret@a', `it is not of the form ${form}`],
  ['redis+cluster://user:1#secret', `it is not of the form ${form}`],
  ['redis+cluster://:secret%@a', 'its password holds a %'],
  ['redis+cluster://:secret@a/1', 'a cluster has no databases'],
  ['redis+cluster://:secret@a/name', 'a cluster has no databases'],
  ['redis+cluster://:secret@a?ca=/file', 'rediss+cluster://'],
  ['rediss+cluster://:secret@a?ca=/no/such/file', 'the file of its parameter ca cannot be read'],
] as const)('%s is refused with what is wrong, and shows no password', async ([url, reason]) => {
  const backend = createBackend({ url })
  const error = await backend
    .start({ message() {}, gap() {}, state() {}, invalid() {} })
    .catch((error: unknown) => error)
  expect(error).toMatchObject({ name: 'PubSubError', code: 'configuration', backend: 'redis' })
  expect(String(error)).toContain(reason)
  expect(String(error)).not.toMatch(/secret|sec\b|ret@/)
  await backend.close()
})
