export { type FaultProxy, type FaultProxyOptions, startFaultProxy } from './fault-proxy.js'
export { freePort } from './free-port.js'
export { type PgBouncer, type PgBouncerOptions, PgBouncerUnavailable, startPgBouncer } from './pgbouncer.js'
export { type PostgresOptions, type PostgresServer, startPostgres } from './postgres.js'
export type { Usage } from './observe.js'
export {
  type ObservedProcess,
  type ObservedProcessOptions,
  startObservedProcess,
} from './observed-process.js'
export { descendants } from './process-tree.js'
export {
  type RedisCluster,
  type RedisClusterNode,
  type RedisClusterOptions,
  startRedisCluster,
} from './redis-cluster.js'
export type { RedisNode } from './redis-node.js'
export { type RedisSentinel, type RedisSentinelOptions, startRedisSentinel } from './redis-sentinel.js'
export { RedisUnavailable, startRedis } from './redis.js'
export type { RedisOptions, RedisServer } from './redis-server.js'
export {
  type ReverseProxy,
  type ReverseProxyOptions,
  ReverseProxyUnavailable,
  startReverseProxy,
} from './reverse-proxy.js'
export { type Program, type ProgramEnd, type ProgramOptions, spawnProgram } from './spawn-program.js'
export { waitFor, type WaitForOptions, withDeadline } from './wait-for.js'
