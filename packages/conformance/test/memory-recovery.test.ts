import { createMemoryBroker } from '@ps/core/memory'
import { testBackend } from '../src/index.js'

const broker = createMemoryBroker()

testBackend('memory with recovery', {
  create: () => broker.createBackend(),
  interrupt: { notApplicable: 'it lives in this process and has no connection that could be lost' },
  settings: { recovery: true },
})
