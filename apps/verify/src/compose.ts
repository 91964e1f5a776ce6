import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parse } from 'yaml'

interface ComposeFile {
  readonly services: Readonly<
    Record<string, { readonly environment?: Readonly<Record<string, string>> } | undefined>
  >
}

/** The environment that `docker compose` would give a service, with `variables` set around it. */
export function readComposeEnvironment(
  workspace: string,
  service: string,
  variables: Readonly<Record<string, string>>,
): Record<string, string> {
  const text = readFileSync(join(workspace, 'compose.yaml'), 'utf8')
  const { services } = parse(text, { merge: true }) as ComposeFile
  const fill = (value: string): string =>
    value.replaceAll(/\$\{(\w+)(?::([-?])([^}]*))?\}/g, (_, name: string, kind?: string, rest = '') => {
      const found = variables[name] ?? (kind === '-' ? rest : undefined)
      if (found === undefined) throw new Error(`compose.yaml needs ${name}: ${rest}`)
      return found
    })
  const environment = services[service]?.environment
  if (environment === undefined) throw new Error(`compose.yaml has no environment for ${service}`)
  return Object.fromEntries(Object.entries(environment).map(([name, value]) => [name, fill(value)]))
}
