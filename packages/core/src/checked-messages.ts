/** All that a client with schemas needs and others do not load. */
export { checkedCallback } from './checked-callback.js'
export { checkedMessage } from './checked-message.js'
export { createCheckedPublishing } from './checked-publishing.js'
export { createChecks } from './message-check.js'
