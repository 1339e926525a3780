import packageJson from '../../../package.json' with { type: 'json' }

/** Name and version as clients see them. */
export const SERVER_INFO = Object.freeze({ name: 'patchbay', version: packageJson.version })

/** Lists depend on who asks, so nobody may keep them for somebody else; a change is announced, so keeping them a while is safe. */
export const LIST_HINT = Object.freeze({ ttlMs: 5_000, cacheScope: 'private' } as const)
