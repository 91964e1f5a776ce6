import { existsSync, readFileSync } from 'node:fs'
import { expect, it } from 'vitest'
import { freePort } from '../src/index.js'

it('gives no port twice, though nobody has used it yet', async () => {
  const ports = new Set<number>()
  for (let count = 0; count < 1_000; count += 1) ports.add(await freePort())
  expect(ports.size).toBe(1_000)
})

// Such a port could be taken by anybody's connection before the server that it was found for has it.
it('gives no port that the system gives to whoever asks for any', async ({ skip }) => {
  const file = '/proc/sys/net/ipv4/ip_local_port_range'
  if (!existsSync(file)) skip('only Linux says which ports these are')
  const [lowest = 0] = readFileSync(file, 'utf8').split(/\s+/).map(Number)
  if (lowest < 32_768) skip('this machine has been told to give other ports than usual')
  const ports = await Promise.all(Array.from({ length: 100 }, () => freePort()))
  expect(Math.max(...ports)).toBeLessThan(lowest)
})
