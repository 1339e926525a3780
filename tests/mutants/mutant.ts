/** One small change of meaning that some test must notice. */
export interface Mutant {
  readonly area: string
  /** From the root of the repository. */
  readonly file: string
  /** What it would mean for somebody who runs the host. */
  readonly means: string
  /** Found exactly once in the file. */
  readonly text: string
  readonly replacement: string
  /** Test files of which at least one must fail. */
  readonly noticedBy: readonly string[]
  /** Why no test can tell it from the original. */
  readonly equivalent?: string
}

/** The mutants of one source file: what each means, the exact text, and what it becomes. */
export interface MutatedFile {
  readonly file: string
  readonly noticedBy: readonly string[]
  readonly changes: readonly (readonly [means: string, text: string, replacement: string, options?: ChangeOptions])[]
}

interface ChangeOptions {
  /** In place of those of the file. */
  readonly noticedBy?: readonly string[]
  readonly equivalent?: string
}

export function mutantsOf(area: string, files: readonly MutatedFile[]): readonly Mutant[] {
  return files.flatMap(({ file, noticedBy, changes }) =>
    changes.map(([means, text, replacement, options]) => ({ area, file, means, text, replacement, noticedBy, ...options })),
  )
}
