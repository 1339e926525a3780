/** Whether no two items of an array are the same, in one look at each. */
export function isUnique(items: readonly unknown[]): boolean {
  const seen = new Set<unknown>()
  for (const item of items) {
    const key = keyOf(item)
    if (seen.has(key)) return false
    seen.add(key)
  }
  return true
}

/** Whether a value is one of those, in one look at it however many they are. */
export function oneOf(allowed: readonly unknown[]): (value: unknown) => boolean {
  const known = new Set(allowed.map(keyOf))
  return (value) => known.has(keyOf(value))
}

/** Two values have the same key when they are the same JSON, whatever the order of their members. */
function keyOf(value: unknown): unknown {
  if (typeof value === 'string') return `"${value}`
  return typeof value === 'object' && value !== null ? JSON.stringify(value, sorted) : value
}

function sorted(_key: string, value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value
  return Object.fromEntries(Object.entries(value).toSorted(([one], [other]) => (one < other ? -1 : 1)))
}
