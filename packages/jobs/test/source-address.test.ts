import { createServer, get } from 'node:http'
import type { AddressInfo } from 'node:net'
import { hostname } from 'node:os'
import { expect, it } from 'vitest'
import { isPublicAddress, lookupPublic, refuseSource } from '../src/index.js'

it.each([
  ['8.8.8.8', true],
  ['172.15.255.255', true],
  ['172.32.0.0', true],
  ['2606:4700::1111', true],
  ['127.0.0.1', false],
  ['10.255.255.255', false],
  ['172.31.255.255', false],
  ['169.254.169.254', false],
  ['0.0.0.0', false],
  ['::1', false],
  ['::ffff:127.0.0.1', false],
  ['::ffff:8.8.8.8', false],
  ['64:ff9b::a00:1', false],
  ['2002:a00:1::', false],
  ['fe80::1%eth0', false],
  ['fd00::1', false],
  ['localhost', false],
  ['', false],
])('says of the address %j that being public is %j', (address, isPublic) => {
  expect(isPublicAddress(address)).toBe(isPublic)
})

it.each([hostname(), 'localhost', 'LOCALHOST.', 'a.localhost', 'does-not-exist.invalid'])(
  'refuses the name %s, which leads to no public address',
  async (name) => {
    expect(await refuseSource(new URL(`http://${name}/`), [])).toEqual(expect.any(String))
  },
)

// What DNS said when the job was accepted may not be what it says now.
it.each(['localhost', hostname()])('connects to no private address by the name %s', async (name) => {
  let connections = 0
  const server = createServer((_request, response) => void response.end())
  server.on('connection', () => (connections += 1))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  const answer = new Promise((resolve, reject) => {
    get({ host: name, port, lookup: lookupPublic, agent: false }, resolve).on('error', reject)
  })
  await expect(answer).rejects.toThrow(/is not at a public address|ENOTFOUND|EAI_AGAIN/)
  expect(connections).toBe(0)
  server.close()
})
