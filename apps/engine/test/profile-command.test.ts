import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, open, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { spawnProgram } from '@ps/services/vitest'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

const main = fileURLToPath(new URL('../dist/main.js', import.meta.url))
const penguins = fileURLToPath(new URL('fixtures/penguins.csv', import.meta.url))

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'engine-test-'))
})
afterAll(() => rm(folder, { recursive: true }))

async function engine(given: readonly string[], input?: string) {
  const program = spawnProgram(main, given, { input })
  const { code } = await program.exited
  return { code, stdout: program.stdout(), stderr: program.stderr() }
}

async function fileWith(name: string, content: string | Uint8Array): Promise<string> {
  const file = join(folder, name)
  await writeFile(file, content)
  return file
}

describe('engine profile', () => {
  it('prints a table that fits 80 columns', async () => {
    const { code, stdout, stderr } = await engine(['profile', penguins])
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    expect(stdout).toBe(`penguins.csv · 344 rows · 7 columns

column             type     nulls  distinct     min        max       mean
species            string       0         3  Adelie     Gentoo
island             string       0         3  Biscoe  Torgersen
bill_length_mm     number       2       164    32.1       59.6    43.9219
bill_depth_mm      number       2        80    13.1       21.5    17.1512
flipper_length_mm  integer      2        55     172        231   200.9152
body_mass_g        integer      2        94    2700       6300  4201.7544
sex                string      11         2  FEMALE       MALE

most frequent values
species            Adelie (152) · Gentoo (124) · Chinstrap (68)
island             Biscoe (168) · Dream (124) · Torgersen (52)
bill_length_mm     41.1 (7) · 45.2 (6) · 37.8 (5) · 39.6 (5) · 46.5 (5)
bill_depth_mm      17 (12) · 18.6 (10) · 17.9 (10) · 18.5 (10) · 15 (10)
flipper_length_mm  190 (22) · 195 (17) · 187 (16) · 193 (15) · 210 (14)
body_mass_g        3800 (12) · 3700 (11) · 3950 (10) · 3900 (10) · 3550 (9)
sex                MALE (168) · FEMALE (165)
`)
  })

  it('keeps to 80 columns, and commands no terminal, whatever the cells hold', async () => {
    const wide = 'wide '.repeat(40)
    const file = await fileWith(
      'wide.csv',
      `"${wide}","\u001B[31mred",n\n"${wide}","\u001B]0;title\u0007",\n"x",y,z\n1\n`,
    )
    const { stdout } = await engine(['profile', file])
    expect(Math.max(...stdout.split('\n').map((line) => Array.from(line).length))).toBeLessThanOrEqual(80)
    expect(stdout).not.toContain('\u001B')
    expect(stdout).toContain('·[31mred')
    expect(stdout).toContain('line 4 has 1 field, the header has 3')
  })

  it('prints JSON, and reads standard input', async () => {
    const fromFile = await engine(['profile', penguins, '--json'])
    const fromInput = await engine(['profile', '-', '--json'], await readFile(penguins, 'utf8'))
    expect(fromInput).toEqual(fromFile)
    expect(JSON.parse(fromFile.stdout)).toMatchObject({ rows: 344, rejected: 0, columns: { length: 7 } })
  })

  it('takes NDJSON by the name of the file or by option', async () => {
    const text = '{"a":1}\n{"a":2}\n'
    const byName = await engine(['profile', await fileWith('rows.ndjson', text), '--json'])
    const byOption = await engine(['profile', '-', '--json', '--format', 'ndjson'], text)
    expect(JSON.parse(byName.stdout)).toMatchObject({ rows: 2, columns: [{ name: 'a', mean: 1.5 }] })
    expect(byOption.stdout).toBe(byName.stdout)
  })

  it.each([
    [['profile'], 'error: profile needs a file: engine profile <file>, or - for standard input'],
    [['profile', 'a', 'b'], 'error: profile takes one file, not also "b"'],
    [['profile', '/no/such/file'], 'error: /no/such/file cannot be read: there is no such file'],
    [['profile', tmpdir()], `error: ${tmpdir()} is a folder, not a file`],
    [['profile', penguins, '--format', 'xml'], 'error: --format is "xml": use csv or ndjson'],
    [['profile', penguins, '--yaml'], "error: Unknown option '--yaml'"],
    [['profile', '-'], 'error: standard input: the file is empty'],
    [
      ['profile', main.replace('main.js', '')],
      `error: ${main.replace('main.js', '')} is a folder, not a file`,
    ],
    [['prophile'], 'error: use one of these commands: profile'],
  ])('%j ends with one line and exit code 1', async (given, line) => {
    expect(await engine(given, '')).toEqual({ code: 1, stdout: '', stderr: `${line}\n` })
  })

  it('says what is wrong with a file that is no table', async () => {
    const file = await fileWith('image.csv', Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]))
    expect(await engine(['profile', file])).toEqual({
      code: 1,
      stdout: '',
      stderr: 'error: image.csv: this is a PNG image, not text\n',
    })
  })

  it('is cancelled by SIGINT, with the exit code that shells expect', async () => {
    const program = spawn(process.execPath, [main, 'profile', '-'], { stdio: ['pipe', 'ignore', 'pipe'] })
    let stderr = ''
    program.stderr.on('data', (chunk: Buffer) => {
      stderr += chunk.toString()
    })
    // More than a pipe holds: when all of it has been taken, the job runs.
    await new Promise((resolve) => program.stdin.write(`a,b\n${'1,2\n'.repeat(250_000)}`, resolve))
    program.kill('SIGINT')
    const [code] = await once(program, 'close')
    expect({ code, stderr }).toEqual({ code: 130, stderr: 'cancelled\n' })
  })

  it('takes no more memory for a large file of different values', async () => {
    const file = join(folder, 'large.csv')
    const handle = await open(file, 'w')
    await handle.write('id,code,amount,text\n')
    for (let block = 0; block < 80; block++) {
      const lines = Array.from({ length: 10_000 }, (_, index) => {
        const id = block * 10_000 + index
        return `${id},${(id * 2_654_435_761) % 4_294_967_296},${id / 7},"the ""text"" of row ${id}"\n`
      })
      await handle.write(lines.join(''))
    }
    const { size } = await handle.stat()
    await handle.close()
    const program = spawnProgram(main, ['profile', file, '--json'], {
      environment: { NODE_OPTIONS: '--max-old-space-size=32' },
    })
    expect((await program.exited).code).toBe(0)
    expect(size).toBeGreaterThan(40 * 1024 * 1024)
    expect(JSON.parse(program.stdout())).toMatchObject({
      rows: 800_000,
      columns: [{ min: 0, max: 799_999, mean: 399_999.5 }, {}, {}, {}],
    })
  })
})
