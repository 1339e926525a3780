/** One thing wrong with a value: where, and what was expected and given. */
export interface Fault {
  readonly path: readonly PathPart[]
  readonly problem: string
}

export type PathPart = string | number

/** `plugins[1].tools.allow`; a key that is no identifier stands in brackets and quotes. */
export function formatPath(path: readonly PathPart[]): string {
  const text = path.map((part) =>
    typeof part === 'number'
      ? `[${part}]`
      : /^[A-Za-z_$][\w$]*$/.test(part)
        ? `.${part}`
        : `[${JSON.stringify(part.slice(0, 60))}]`,
  )
  return text.join('').replace(/^\./, '')
}
