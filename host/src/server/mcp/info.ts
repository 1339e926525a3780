/** Lists depend on the caller, so no cache may give them to another one; a change is announced, so keeping them a while is safe. */
export const LIST_HINT = Object.freeze({ ttlMs: 5_000, cacheScope: 'private' } as const)
