import { join, relative } from 'node:path'
import ts from 'typescript'
import { expect, test } from 'vitest'
import { root } from './documents.js'

const entries = [
  'packages/core/src/index.ts',
  'packages/core/src/memory.ts',
  'packages/core/src/examine-backends.ts',
  'packages/redis/src/index.ts',
  'packages/postgres/src/index.ts',
  'packages/conformance/src/index.ts',
  'packages/browser/src/index.ts',
]

const { config } = ts.readConfigFile(join(root, 'tsconfig.base.json'), (path) => ts.sys.readFile(path))
const { options } = ts.parseJsonConfigFileContent(config, ts.sys, root)
const program = ts.createProgram(
  entries.map((entry) => join(root, entry)),
  { ...options, lib: [...(options.lib ?? []), 'lib.dom.d.ts', 'lib.dom.iterable.d.ts'], types: [] },
)
const checker = program.getTypeChecker()

const isDocumented = (symbol: ts.Symbol): boolean => symbol.getDocumentationComment(checker).length > 0

/** The members that our own source declares; what a type takes from elsewhere is documented there. */
function ownMembers(symbol: ts.Symbol): ts.Symbol[] {
  const members = symbol.members === undefined ? [] : [...symbol.members.values()]
  return members.filter((member) => (member.flags & (ts.SymbolFlags.Property | ts.SymbolFlags.Method)) !== 0)
}

test.each(entries)('everything that %s exports is documented, and every option and method of it', (entry) => {
  const source = program.getSourceFile(join(root, entry))
  const module = source === undefined ? undefined : checker.getSymbolAtLocation(source)
  if (module === undefined) throw new Error(`${entry} is no module`)
  const exported = checker.getExportsOfModule(module).map((symbol) => {
    const isAlias = (symbol.flags & ts.SymbolFlags.Alias) !== 0
    return isAlias ? checker.getAliasedSymbol(symbol) : symbol
  })
  const silent: string[] = []
  for (const symbol of exported) {
    const file = symbol.declarations?.[0]?.getSourceFile().fileName ?? ''
    if (!file.startsWith(join(root, 'packages/'))) continue
    const at = `${relative(root, file)}: ${symbol.name}`
    if (!isDocumented(symbol)) silent.push(at)
    for (const member of ownMembers(symbol)) if (!isDocumented(member)) silent.push(`${at}.${member.name}`)
  }
  expect(exported.length).toBeGreaterThan(0)
  expect(silent).toEqual([])
})
