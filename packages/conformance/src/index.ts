export type { Interrupt, NotApplicable } from './interrupt.js'
export { expectSurvival, type Survival, type SurvivalOptions, type Traffic } from './survival.js'
export { type BackendUnderTest, testBackend } from './test-backend.js'
export type { Heard, HeardEvent, HearOptions, WatchedClient } from './watched-client.js'
