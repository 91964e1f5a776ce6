/** What we read and change of a package.json. */
export interface Manifest {
  readonly name: string
  readonly version: string
  dependencies?: Record<string, string>
  devDependencies?: Record<string, string>
  peerDependencies?: Record<string, string>
  peerDependenciesMeta?: Record<string, { readonly optional?: boolean }>
}
