/**
 * A schema of any library that keeps to Standard Schema (https://standardschema.dev), such as Zod, Valibot or ArkType: the part of
 * version 1 of its interface that is used here.
 */
export interface StandardSchema<Input = unknown, Output = Input> {
  /** What the interface asks of a library. */
  readonly '~standard': {
    readonly version: 1
    /** The library. */
    readonly vendor: string
    readonly validate: (value: unknown) => SchemaResult<Output> | Promise<SchemaResult<Output>>
    /** Types only: nothing is there at run time. */
    readonly types?: { readonly input: Input; readonly output: Output } | undefined
  }
}

/** What a schema makes of a message, or what is wrong with it. */
export type SchemaResult<Output> =
  | { readonly value: Output; readonly issues?: undefined }
  | { readonly issues: readonly SchemaIssue[] }

/** What is wrong with a message, in the words of the schema's library. */
export interface SchemaIssue {
  /** For people. */
  readonly message: string
  /** Where: the keys that lead there, from the outside. */
  readonly path?: readonly (PropertyKey | { readonly key: PropertyKey })[] | undefined
}

type Types<Schema> = Schema extends StandardSchema
  ? NonNullable<Schema['~standard']['types']>
  : { readonly input: never; readonly output: never }

/** Channels and the schemas of their messages. */
export type ChannelSchemas = Readonly<Record<string, StandardSchema>>
/** What may be published: what the schemas take. */
export type InputsOf<Schemas extends object> = {
  [Channel in keyof Schemas]: Types<Schemas[Channel]>['input']
}
/** What listeners get: what the schemas give. */
export type OutputsOf<Schemas extends object> = {
  [Channel in keyof Schemas]: Types<Schemas[Channel]>['output']
}
