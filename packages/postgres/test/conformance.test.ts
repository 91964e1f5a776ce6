import { testBackend } from '@ps/conformance'
import { inject } from 'vitest'
import { createBackend } from '../src/index.js'

testBackend('postgres', { create: () => createBackend({ url: inject('postgresUrl') }) })
