/** Which methods a path has, to tell a wrong path from a wrong method. */
export interface AllowedMethods {
  add(pattern: string, methods: string | readonly string[]): void
  of(path: string): readonly string[]
}

export function createAllowedMethods(): AllowedMethods {
  const routes: { readonly expression: RegExp; readonly methods: readonly string[] }[] = []
  return {
    add(pattern, methods) {
      const source = pattern
        .replace(/[.+?^${}()|[\]\\]/g, String.raw`\$&`)
        .replace(/:\w+/g, '[^/]+')
        .replace('*', '.*')
      routes.push({ expression: new RegExp(`^${source}$`), methods: [methods].flat() })
    },
    of: (path) => [
      ...new Set(routes.filter(({ expression }) => expression.test(path)).flatMap(({ methods }) => methods)),
    ],
  }
}
