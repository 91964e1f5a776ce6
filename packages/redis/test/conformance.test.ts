import { testBackend } from '@ps/conformance'
import { backendUnderTest } from './backend-under-test.js'

testBackend('redis', backendUnderTest())
