import { testBackend } from '@ps/conformance'
import { requireRedis } from '@ps/services/vitest'
import { createBackend } from '../../src/index.js'

testBackend('redis, ten at once', {
  create: (test) => createBackend({ url: requireRedis(test) }),
  interrupt: { notApplicable: 'this run is for stress; the other one interrupts' },
  times: 10,
})
