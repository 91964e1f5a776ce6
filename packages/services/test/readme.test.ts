import { expect, it } from 'vitest'
import { readmeExamples, runExample } from '../src/readme-examples.js'

const packageFolder = new URL('..', import.meta.url)

it.each(readmeExamples(packageFolder))('example %$ of the README runs', async (example) => {
  // The package finds itself by its own name.
  const end = await runExample(packageFolder, example)
  expect(end).toMatchObject({ code: 0, stdout: 'true 0\n', stderr: '' })
})
