/** Does `path` fit `pattern`, in which `*` stands for one segment or a part of it and `**` for any number? */
export function matchesPath(pattern: string, path: string): boolean {
  const source = pattern
    .split(/(\*\*|\*)/)
    .map((part) => (part === '**' ? '.*' : part === '*' ? '[^/]*' : part.replace(/[\\^$.|?+()[\]{}]/g, '\\$&')))
    .join('')
  return new RegExp(`^${source}$`).test(path)
}

/** The host's rule for `safePaths`: `*` stands for exactly one segment. */
export function matchesSafePath(pattern: string, path: string): boolean {
  const [wanted, found] = [pattern.split('/'), path.split('/')]
  return (
    wanted.length === found.length && wanted.every((part, index) => (part === '*' ? found[index] !== '' : part === found[index]))
  )
}
