export type { BackendUnderTest } from './test-backend.js'
export { testBackend } from './test-backend.js'
