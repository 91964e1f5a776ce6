import { testBackend } from '@ps/conformance'
import { requireRedis } from '@ps/services/vitest'
import { createBackend } from '../src/index.js'

testBackend('redis', { create: (test) => createBackend({ url: requireRedis(test) }) })
