import { randomUUID } from 'node:crypto'
import type { SharedScripts } from '../../../cache/shared-scripts.ts'
import { hostError } from '../../../errors.ts'
import type { AccountKey } from '../account.ts'
import { TURN_MS, type AccountStore } from './account-store.ts'

/**
 * Keeps accounts in the Redis of the cache, for every replica. Their keys are not those of the cache: emptying that leaves them. Each step
 * is one script, so that no other host sees half of it.
 */
export function createSharedAccountStore(scripts: SharedScripts): AccountStore {
  const run = (script: string, keys: string[], ...args: string[]) =>
    scripts.eval(script, { keys, arguments: args }).catch((error: unknown) => {
      throw hostError('ACCOUNT_STORE', {}, error)
    })

  return {
    async read(key) {
      const text = await run(READ, [textKey(key)])
      return typeof text === 'string' ? text : undefined
    },
    async write(key, text) {
      await run(WRITE, [textKey(key), personKey(key.person)], text, key.account)
    },
    replace: async (key, before, text) => (await run(REPLACE, [textKey(key)], before, text)) === 'OK',
    remove: async (key) => (await run(REMOVE, [textKey(key), personKey(key.person)], key.account)) === 1,
    async list(person) {
      const accounts = await run(MEMBERS, [personKey(person)])
      if (!Array.isArray(accounts)) return []
      const names = accounts.map(String)
      const texts = await Promise.all(names.map((account) => run(READ, [textKey({ person, account })])))
      return names.flatMap((account, index) => {
        const text = texts[index]
        return typeof text === 'string' ? [{ account, text }] : []
      })
    },
    async inTurn(key, work) {
      const mark = randomUUID()
      if ((await run(TAKE, [turnKey(key)], mark, String(TURN_MS))) !== 'OK') return undefined
      try {
        return { result: await work() }
      } finally {
        // What is not given back ends by itself.
        await run(GIVE_BACK, [turnKey(key)], mark).catch(() => {})
      }
    },
  }
}

/** Every key begins with it; another number is another format. */
const PREFIX = 'patchbay-accounts1'
const textKey = ({ person, account }: AccountKey) => `${PREFIX}:token:${person}.${account}`
const personKey = (person: string) => `${PREFIX}:person:${person}`
const turnKey = ({ person, account }: AccountKey) => `${PREFIX}:turn:${person}.${account}`

const READ = "return redis.call('GET', KEYS[1])"
const MEMBERS = "return redis.call('SMEMBERS', KEYS[1])"
const WRITE = "redis.call('SADD', KEYS[2], ARGV[2]) return redis.call('SET', KEYS[1], ARGV[1])"
const REPLACE = "if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end return redis.call('SET', KEYS[1], ARGV[2])"
const REMOVE = "redis.call('SREM', KEYS[2], ARGV[1]) return redis.call('DEL', KEYS[1])"
const TAKE = "return redis.call('SET', KEYS[1], ARGV[1], 'NX', 'PX', ARGV[2])"
const GIVE_BACK = "if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('DEL', KEYS[1]) end return 0"
