import { errors } from 'oidc-provider'
import { take, type LoginStore } from './store.ts'

/** What `oidc-provider` keeps of a code, a token, a session. */
interface Payload {
  readonly grantId?: string
  readonly uid?: string
  readonly exp?: number
  readonly consumed?: number
}

/**
 * Keeps the models of `oidc-provider` in the store. `longestMs` is how long the longest of them lives. Consuming a code is atomic, which
 * the library leaves to its adapter: of two that come at once one is refused.
 */
export function createAdapter(store: LoginStore, longestMs: number): (model: string) => object {
  const revoke = (grantId: string) => store.set(`revoked:${grantId}`, true, longestMs)

  return (model) => {
    const keyOf = (id: string) => `${model}:${id}`
    const find = async (id: string): Promise<Payload | undefined> => {
      const payload = (await store.get(keyOf(id))) as Payload | undefined
      return payload?.grantId !== undefined && (await store.get(`revoked:${payload.grantId}`)) ? undefined : payload
    }
    return {
      async upsert(id: string, payload: Payload, expiresIn?: number) {
        const ttlMs = expiresIn === undefined ? longestMs : expiresIn * 1000
        if (model === 'Session' && payload.uid !== undefined) await store.set(`session:${payload.uid}`, id, ttlMs)
        if (ONE_TIME.has(model)) await store.set(`unused:${keyOf(id)}`, true, ttlMs)
        await store.set(keyOf(id), payload, ttlMs)
      },
      find,
      async findByUid(uid: string) {
        const id = await store.get(`session:${uid}`)
        return typeof id === 'string' ? find(id) : undefined
      },
      async consume(id: string) {
        const payload = await find(id)
        if ((await take(store, `unused:${keyOf(id)}`)) === undefined || !payload) {
          if (payload?.grantId !== undefined) await revoke(payload.grantId)
          throw new errors.InvalidGrant('used already')
        }
        const consumed = Math.floor(Date.now() / 1000)
        await store.set(keyOf(id), { ...payload, consumed }, ((payload.exp ?? consumed) - consumed) * 1000 + 1)
      },
      async destroy(id: string) {
        await store.delete(keyOf(id))
      },
      revokeByGrantId: revoke,
    }
  }
}

const ONE_TIME = new Set(['AuthorizationCode', 'RefreshToken'])
