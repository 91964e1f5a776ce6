import { expect, it } from 'vitest'
import { describeError } from '../src/index.js'

it.each([
  [new Error('words'), 'words'],
  [new TypeError(''), 'TypeError'],
  [new AggregateError([new Error('one'), 'two']), 'one; two'],
  ['a text', 'a text'],
  [undefined, 'undefined'],
  [Symbol('s'), 'Symbol(s)'],
  [Object.create(null), 'something that has no text was thrown'],
])('describes whatever was thrown: %#', (thrown, text) => {
  expect(describeError(thrown)).toBe(text)
})
