import { testBackend } from '@ps/conformance'
import { backendUnderTest } from './backend-under-test.js'

testBackend('postgres with packing', { ...backendUnderTest(), settings: { packing: true } })
