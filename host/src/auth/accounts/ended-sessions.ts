import { hash } from 'node:crypto'
import { chmod, mkdir, readdir, rm, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { SharedScripts } from '../../cache/shared-scripts.ts'
import { hostError } from '../../errors.ts'

/** A session of a browser: its cookie alone makes it, so that any replica can read it. */
interface BrowserSessionKey {
  readonly id: string
  /** When its cookie ends by itself, in milliseconds since 1970. */
  readonly until: number
}

/**
 * Sessions whose person logged out before their cookie ended: a copy of the cookie opens nothing any more, at any replica and after a
 * restart (OWASP ASVS 7.4.1). A store that cannot be asked rejects: that is never the same as a session that goes on.
 */
export interface EndedSessions {
  end(session: BrowserSessionKey): Promise<void>
  has(session: BrowserSessionKey): Promise<boolean>
}

/** In the Redis of the hosts, where each mark ends with its session. */
export function createSharedEndedSessions(scripts: SharedScripts, now: () => number): EndedSessions {
  const run = (script: string, session: BrowserSessionKey, ...args: string[]) =>
    scripts.eval(script, { keys: [`patchbay-accounts1:ended:${nameOf(session)}`], arguments: args }).catch((error: unknown) => {
      throw hostError('ACCOUNT_STORE', {}, error)
    })
  return {
    async end(session) {
      const left = session.until - now()
      if (left > 0) await run(END, session, String(Math.ceil(left)))
    },
    has: async (session) => (await run(HAS, session)) === 1,
  }
}

const END = "return redis.call('SET', KEYS[1], '1', 'PX', ARGV[1])"
const HAS = "return redis.call('EXISTS', KEYS[1])"

/** An empty file for each, in the folder of the accounts; what has ended by itself is removed with the next one. */
export function createEndedSessionFiles(dir: string, now: () => number): EndedSessions {
  const fileOf = (session: BrowserSessionKey) => join(dir, `${nameOf(session)}${END_OF_NAME}`)
  return {
    async end(session) {
      await mkdir(dir, { recursive: true, mode: 0o700 })
      await chmod(dir, 0o700)
      await writeFile(fileOf(session), '', { mode: 0o600 })
      const old = (await readdir(dir)).filter((name) => {
        const [until, ended, ...rest] = name.split('.')
        return `.${ended}` === END_OF_NAME && rest.length === 0 && Number(until?.split('-')[0]) <= now()
      })
      await Promise.all(old.map((name) => rm(join(dir, name), { force: true })))
    },
    async has(session) {
      try {
        await stat(fileOf(session))
        return true
      } catch (error) {
        if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return false
        throw hostError('ACCOUNT_STORE', {}, error)
      }
    },
  }
}

const END_OF_NAME = '.ended'

/** What names it says nothing of its cookie. */
function nameOf({ id, until }: BrowserSessionKey): string {
  return `${until}-${hash('sha256', `session ${id}`)}`
}
