import { readmeExamples, runExample } from '@ps/services/vitest'
import { expect, inject, test } from 'vitest'

const packageFolder = new URL('..', import.meta.url)

test.each(readmeExamples(packageFolder))('example %$ of the README runs', async (example) => {
  const end = await runExample(packageFolder, example, { DATABASE_URL: inject('postgresUrl') })
  expect(end).toMatchObject({ code: 0, stdout: "{ id: 7, state: 'done' }\n" })
})
