/** Lists depend on who asks, so nobody may keep them for somebody else; a change is announced, so keeping them a while is safe. */
export const LIST_HINT = Object.freeze({ ttlMs: 5_000, cacheScope: 'private' } as const)
