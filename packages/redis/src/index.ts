export { createBackend } from './backend.js'
export { examine } from './examine.js'
