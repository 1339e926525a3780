/**
 * The flags of this process that say which `exports` of a package hold, for a process that is to resolve as it does: `--conditions=x`,
 * `--conditions x` and their short form.
 */
export function conditionFlags(flags: readonly string[] = process.execArgv): readonly string[] {
  return flags.flatMap((flag, index) => {
    if (/^(?:--conditions=|-C.)/.test(flag)) return [flag]
    const value = flags[index + 1]
    return /^(?:--conditions|-C)$/.test(flag) && value !== undefined ? [`--conditions=${value}`] : []
  })
}
