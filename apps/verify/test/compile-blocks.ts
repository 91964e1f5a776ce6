import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import ts from 'typescript'
import type { CodeBlock } from './documents.js'
import { root } from './documents.js'

const packageFolder = fileURLToPath(new URL('..', import.meta.url))

/** What the compiler has against these blocks, as `path:line: message`; each is a module of its own. */
export function compileBlocks(blocks: readonly CodeBlock[]): readonly string[] {
  // Within this package, so that they find what its manifest names.
  const folder = mkdtempSync(join(packageFolder, '.documents-'))
  try {
    const files = new Map(
      blocks.map((block, index) => {
        const file = join(folder, `block-${index}.mts`)
        writeFileSync(file, `${block.given}\n${block.code}\nexport {}\n`)
        return [file, block]
      }),
    )
    const { config } = ts.readConfigFile(join(root, 'tsconfig.base.json'), (path) => ts.sys.readFile(path))
    const { options } = ts.parseJsonConfigFileContent(config, ts.sys, folder)
    const program = ts.createProgram([...files.keys()], {
      ...options,
      lib: [...(options.lib ?? []), 'lib.dom.d.ts', 'lib.dom.iterable.d.ts'],
      // An example declares what it does not go on to use.
      noUnusedLocals: false,
      noUnusedParameters: false,
    })
    return ts.getPreEmitDiagnostics(program).map((diagnostic) => {
      const message = ts.flattenDiagnosticMessageText(diagnostic.messageText, ' ')
      const { file, start = 0 } = diagnostic
      const block = file === undefined ? undefined : files.get(file.fileName)
      if (file === undefined || block === undefined)
        return `${basename(file?.fileName ?? 'settings')}: ${message}`
      const { line } = file.getLineAndCharacterOfPosition(start)
      return `${block.path}:${block.line + line - block.given.split('\n').length}: ${message}`
    })
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}
