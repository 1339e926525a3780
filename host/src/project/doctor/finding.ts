/** One thing that is wrong, or will be in production, for a person: what, why it matters, and steps. */
export interface Finding {
  /** What was looked at: `config`, `cache`, `plugin`, `lock`, `file`, `port`, `node`, `issuer` or `release`. */
  readonly about: string
  readonly problem: string
  readonly cause: string
  readonly fix: readonly string[]
}
