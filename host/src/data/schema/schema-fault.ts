/** One thing wrong with a schema: where (`#/properties/a`), what, what to write instead. */
export interface SchemaFault {
  readonly path: string
  readonly problem: string
  readonly fix: string
}

/** Takes one down. */
export type Fault = (path: string, problem: string, fix: string) => void

/** A value as a fault may quote it. */
export function brief(value: unknown): string {
  return (JSON.stringify(value) ?? String(value)).slice(0, 80)
}
