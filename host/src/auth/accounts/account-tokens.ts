import { createCipheriv, createDecipheriv, createHash, hkdfSync, randomBytes } from 'node:crypto'
import { chmodSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Principal } from '@mcp-patchbay/plugin-api'
import { isObject } from '../../data/json.ts'
import { hostError } from '../../errors.ts'

/** Whose token, and for which service. */
export interface Account {
  readonly principal: Pick<Principal, 'tenant' | 'kind' | 'id'>
  readonly instance: string
}

/** Tokens of callers for services, encrypted on disk. What is stored for one caller, tenant and service can be read as nothing else. */
export interface AccountTokens {
  /** Undefined when none is linked. Throws `ACCOUNT_UNREADABLE` for one that is there and cannot be used. */
  get(account: Account): string | undefined
  /** Written whole or not at all; readable by this user only, whatever the umask. */
  link(account: Account, token: string): void
  /** Whether there was one. */
  unlink(account: Account): boolean
}

/** Throws `ACCOUNT_KEY` for a key that is not 32 bytes in Base64. The folder is made with the first token. */
export function openAccountTokens({ dir, key, variable }: AccountOptions): AccountTokens {
  const secret = Buffer.from(key ?? '', 'base64')
  if (secret.length !== KEY_BYTES) throw hostError('ACCOUNT_KEY', { variable, isSet: Boolean(key) })
  const encryption = Buffer.from(hkdfSync('sha256', secret, '', 'patchbay account token', KEY_BYTES))
  const fileOf = (account: Account) => join(dir, `${createHash('sha256').update(nameOf(account)).digest('hex')}.json`)

  return {
    get(account) {
      const file = fileOf(account)
      let text: string
      try {
        text = readFileSync(file, 'utf8')
      } catch (error) {
        if (isMissing(error)) return undefined
        throw unreadable(account, error)
      }
      try {
        return decrypt(JSON.parse(text), encryption, account)
      } catch (error) {
        throw unreadable(account, error)
      }
    },
    link(account, token) {
      mkdirSync(dir, { recursive: true, mode: 0o700 })
      // A umask can only take away, and an older folder may have more.
      chmodSync(dir, 0o700)
      const file = fileOf(account)
      const draft = `${file}.${randomBytes(6).toString('hex')}.tmp`
      try {
        writeFileSync(draft, JSON.stringify(encrypt(token, encryption, account)), { mode: 0o600, flag: 'wx', flush: true })
        chmodSync(draft, 0o600)
        renameSync(draft, file)
      } finally {
        rmSync(draft, { force: true })
      }
    },
    unlink(account) {
      try {
        rmSync(fileOf(account))
        return true
      } catch (error) {
        if (isMissing(error)) return false
        throw error
      }
    },
  }
}

export interface AccountOptions {
  readonly dir: string
  /** 32 bytes in Base64. */
  readonly key: string | undefined
  /** Where the key comes from, for messages. */
  readonly variable: string
}

const KEY_BYTES = 32
const ALGORITHM = 'aes-256-gcm'

interface Sealed {
  readonly version: 1
  readonly iv: string
  readonly tag: string
  readonly data: string
}

function encrypt(token: string, key: Buffer, account: Account): Sealed {
  const iv = randomBytes(12)
  const cipher = createCipheriv(ALGORITHM, key, iv).setAAD(Buffer.from(nameOf(account)))
  const data = Buffer.concat([cipher.update(token, 'utf8'), cipher.final()])
  return { version: 1, iv: iv.toString('base64'), tag: cipher.getAuthTag().toString('base64'), data: data.toString('base64') }
}

/** Throws for what was made with another key, or for another account. */
function decrypt(sealed: unknown, key: Buffer, account: Account): string {
  const { version, iv, tag, data }: Readonly<Record<string, unknown>> = isObject(sealed) ? sealed : {}
  if (version !== 1 || typeof iv !== 'string' || typeof tag !== 'string' || typeof data !== 'string')
    throw new Error('It is no stored token of this version')
  const decipher = createDecipheriv(ALGORITHM, key, Buffer.from(iv, 'base64'), { authTagLength: 16 })
    .setAAD(Buffer.from(nameOf(account)))
    .setAuthTag(Buffer.from(tag, 'base64'))
  return Buffer.concat([decipher.update(Buffer.from(data, 'base64')), decipher.final()]).toString('utf8')
}

function nameOf({ principal: { tenant, kind, id }, instance }: Account): string {
  return JSON.stringify([tenant ?? null, kind, id, instance])
}

function unreadable({ instance }: Account, cause: unknown): Error {
  return hostError('ACCOUNT_UNREADABLE', { plugin: instance }, cause)
}

function isMissing(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ENOENT'
}
