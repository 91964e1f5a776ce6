import { uniqueName } from '@ps/services/vitest'
import { inject } from 'vitest'
import { openPeer, urlWith } from '../opened-backend.js'

/** The URL of a new database: whatever name a channel has there, no other test uses it. */
export async function createDatabase(encoding: string): Promise<string> {
  const name = uniqueName('properties').replaceAll('-', '_')
  await openPeer().unsafe(`create database ${name} encoding '${encoding}' locale 'C' template template0`)
  return urlWith(inject('postgresUrl'), { pathname: `/${name}` })
}
