import { createMemoryBroker } from '@ps/core/memory'
import { testBackend } from '../src/index.js'

const broker = createMemoryBroker()

testBackend('memory', { create: () => broker.createBackend() })
