/** `change` of every item, in order, at most `limit` at a time. The first failure is thrown, and no further item is begun. */
export async function mapBounded<From, To>(
  items: readonly From[],
  limit: number,
  change: (item: From) => Promise<To>,
): Promise<To[]> {
  const results: To[] = []
  const remaining = items.entries()
  let failed = false
  const work = async (): Promise<void> => {
    for (const [index, item] of remaining) {
      if (failed) return
      results[index] = await change(item).catch((error: unknown) => {
        failed = true
        throw error
      })
    }
  }
  await Promise.all(Array.from({ length: Math.min(limit, items.length) }, work))
  return results
}
