import { mkdtempSync, readdirSync, rmSync, utimesSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { openUploads, type Uploads } from '../src/uploads.js'

describe('a folder of uploads', () => {
  let folder: string
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'ps-uploads-'))
  })
  afterEach(() => rmSync(folder, { recursive: true }))

  const open = (): Promise<Uploads> =>
    openUploads(folder, { maxUploadBytes: 1_000, maxStoredBytes: 1_000, requestTimeout: 60_000 })

  it('is swept to the end, whatever goes away meanwhile', async () => {
    const longAgo = new Date(Date.now() - 25 * 60 * 60 * 1_000)
    for (const name of ['one', 'two', 'three']) {
      writeFileSync(join(folder, name), 'a')
      utimesSync(join(folder, name), longAgo, longAgo)
    }
    const uploads = await open()
    let asked = 0
    await uploads.sweep((name) => {
      asked += 1
      // As when its job ends at this moment.
      if (asked === 1) rmSync(join(folder, name))
      return false
    })
    expect(readdirSync(folder)).toEqual([])
  })
})
