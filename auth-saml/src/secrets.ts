import { createPrivateKey } from 'node:crypto'
import { readFileSync } from 'node:fs'

/** A private key in JWK: EC P-256, Ed25519, or RSA of 2048 bits or more. The `kid` names it for good. */
export interface SigningKey {
  readonly kid: string
  readonly kty: string
  readonly [member: string]: unknown
}

/** What must be the same for every server of one issuer, and known to no other program. */
export interface LoginSecrets {
  /** The first signs access tokens. The others only go on being published, until the last token of theirs has expired. */
  readonly signingKeys: readonly SigningKey[]
  /** At least 32 bytes each. The first signs cookies, the others are still good for those that they signed. */
  readonly cookieSecrets: readonly string[]
}

/**
 * Reads them from `SAML_SIGNING_KEYS`, a JWK Set, and `SAML_COOKIE_SECRETS`, separated by commas or lines; or, with `_FILE` at the end of
 * a name, from the file that it names. Throws an error that names the variable, and never says what is in it.
 */
export function readLoginSecrets(env: Readonly<Record<string, string | undefined>> = process.env): LoginSecrets {
  const keys = read(env, 'SAML_SIGNING_KEYS')
  return {
    signingKeys: parseKeys(keys),
    cookieSecrets: read(env, 'SAML_COOKIE_SECRETS')
      .split(/[,\n]/)
      .map((secret) => secret.trim())
      .filter((secret) => secret !== ''),
  }
}

/** What is wrong with them, each a sentence without any of them in it. */
export function secretFaults({ signingKeys, cookieSecrets }: LoginSecrets): readonly string[] {
  const faults: string[] = []
  if (signingKeys.length === 0) faults.push('signingKeys is empty: there must be a key to sign tokens with')
  signingKeys.forEach((key, index) => {
    const problem =
      keyProblem(key) ?? (signingKeys.findIndex(({ kid }) => kid === key.kid) < index ? 'has the kid of another' : undefined)
    if (problem) faults.push(`signingKeys[${index}] ${problem}`)
  })
  if (cookieSecrets.length === 0) faults.push('cookieSecrets is empty: there must be a secret to sign cookies with')
  cookieSecrets.forEach((secret, index) => {
    if (Buffer.byteLength(secret) < 32)
      faults.push(`cookieSecrets[${index}] is shorter than 32 bytes: make one with \`openssl rand -base64 48\``)
  })
  return faults
}

/** The signature algorithm of a key that has no fault. */
export function algorithmOf({ kty }: SigningKey): 'ES256' | 'EdDSA' | 'RS256' {
  if (kty === 'EC') return 'ES256'
  return kty === 'OKP' ? 'EdDSA' : 'RS256'
}

function keyProblem(key: SigningKey): string | undefined {
  if (typeof key.kid !== 'string' || key.kid === '') return 'has no kid'
  if (typeof key['d'] !== 'string') return 'is no private key'
  try {
    const { asymmetricKeyType: type, asymmetricKeyDetails: details } = createPrivateKey({ key, format: 'jwk' })
    if (type === 'rsa') return (details?.modulusLength ?? 0) < 2048 ? 'is an RSA key of less than 2048 bits' : undefined
    if (type === 'ed25519' || (type === 'ec' && details?.namedCurve === 'prime256v1')) return undefined
    return 'is neither EC P-256 nor Ed25519 nor RSA'
  } catch {
    return 'is not a key that can be read'
  }
}

function read(env: Readonly<Record<string, string | undefined>>, variable: string): string {
  const file = env[`${variable}_FILE`]
  const value = file === undefined ? env[variable] : readFileSync(file, 'utf8')
  if (!value?.trim()) throw new Error(`${variable} is not set. Set it, or point ${variable}_FILE at a file that holds it`)
  return value
}

function parseKeys(text: string): readonly SigningKey[] {
  try {
    const { keys } = JSON.parse(text) as { keys?: unknown }
    if (Array.isArray(keys)) return keys as readonly SigningKey[]
  } catch {
    // The error of JSON.parse quotes what it read.
  }
  throw new Error('SAML_SIGNING_KEYS must be a JWK Set: {"keys":[…]}')
}
