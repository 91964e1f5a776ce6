import { expect, it } from 'vitest'
import { createInbox } from '../src/index.js'

const createRecorded = () => {
  const delivered: string[] = []
  const inbox = createInbox((channel, payload) => delivered.push(`${channel} ${payload.slice(0, 5)}`))
  return { inbox, delivered }
}

it('delivers at once, and what came while it held when it is released, in order', () => {
  const { inbox, delivered } = createRecorded()
  inbox.message('a', '1')
  inbox.hold()
  inbox.message('a', '2')
  inbox.message('b', '3')
  expect(delivered).toEqual(['a 1'])
  inbox.release(() => true)
  inbox.message('a', '4')
  expect(delivered).toEqual(['a 1', 'a 2', 'b 3', 'a 4'])
})

it('drops what is held for a channel that is no longer wanted, and all of it when the connection is lost again', () => {
  const { inbox, delivered } = createRecorded()
  inbox.hold()
  inbox.message('a', 'before')
  inbox.hold()
  inbox.message('a', '1')
  inbox.message('b', '2')
  inbox.release((channel) => channel === 'b')
  expect(delivered).toEqual(['b 2'])
})

it('holds 16 MiB, and drops the oldest beyond that', () => {
  const { inbox, delivered } = createRecorded()
  inbox.hold()
  const mebibyte = 1024 * 1024
  for (let index = 0; index < 20; index += 1) inbox.message('a', `${index}`.padEnd(mebibyte, '.'))
  inbox.release(() => true)
  expect(delivered).toHaveLength(16)
  expect(delivered.at(-1)).toBe('a 19...')
})
