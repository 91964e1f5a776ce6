// Loaded into the api before its own code: prints every route that its server is given, whether it is described or not.
import { subscribe } from 'node:diagnostics_channel'

subscribe('fastify.initialization', ({ fastify }) => {
  fastify.addHook('onRoute', ({ method, url }) => {
    for (const each of [method].flat()) console.error(`route ${each} ${url}`)
  })
})
