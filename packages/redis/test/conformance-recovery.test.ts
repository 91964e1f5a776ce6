import { testBackend } from '@ps/conformance'
import { backendUnderTest } from './backend-under-test.js'

testBackend('redis with recovery and packing', {
  ...backendUnderTest(),
  interrupt: { notApplicable: 'what is interrupted is made whole, so that there is no gap to be told' },
  settings: { packing: true, recovery: true },
})
