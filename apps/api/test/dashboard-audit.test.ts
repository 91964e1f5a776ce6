import { expect, test } from 'vitest'
import { createAudit } from '../dashboard/audit.js'

const whole = { lost: 0, doubled: 0, outOfOrder: 0 }

test('what arrives once and in order is whole, also before the answer that says it is accepted', () => {
  const audit = createAudit()
  audit.accept(1, 0)
  audit.hear(1)
  audit.hear(2)
  audit.accept(2, 0)
  audit.accept(3, 0)
  expect(audit.counts(0)).toEqual({ accepted: 3, heard: 2, onTheWay: 1, ...whole })
})

test('what was accepted is lost when a later message arrives without it, and only out of order when it comes after all', () => {
  const audit = createAudit()
  for (const number of [1, 2, 3]) audit.accept(number, 0)
  audit.hear(1)
  audit.hear(3)
  expect(audit.counts(0)).toMatchObject({ ...whole, lost: 1, onTheWay: 0 })
  audit.hear(2)
  expect(audit.counts(0)).toMatchObject({ ...whole, heard: 3, outOfOrder: 1 })
})

test('the last message is lost when it does not come though there is time enough, and nothing in its way', () => {
  const audit = createAudit()
  audit.accept(1, 0)
  expect(audit.counts(60_000)).toMatchObject({ lost: 0, onTheWay: 1 })
  audit.listening(60_000)
  expect(audit.counts(69_000)).toMatchObject({ lost: 0, onTheWay: 1 })
  expect(audit.counts(71_000)).toMatchObject({ lost: 1, onTheWay: 0 })
})

test('what was not known to be accepted is never lost, and a second time is doubled', () => {
  const audit = createAudit()
  audit.accept(1, 0)
  audit.hear(1)
  audit.accept(3, 0)
  audit.hear(3)
  expect(audit.counts(0)).toMatchObject(whole)
  audit.hear(3)
  audit.hear(1)
  expect(audit.counts(0)).toMatchObject({ heard: 2, doubled: 2, lost: 0, outOfOrder: 0 })
})
