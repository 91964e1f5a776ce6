export { connect } from './connect.js'
export type { Channels, ConnectOptions, Connection, ConnectionState, Gap, Message } from './connection.js'
