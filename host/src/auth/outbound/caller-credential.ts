import { Buffer } from 'node:buffer'
import { hostError } from '../../errors.ts'
import type { BroughtCredential } from '../../network/http-call-scope.ts'
import type { Credential, CredentialSource } from '../../network/request/placed-credential.ts'
import { headerCredential, type CredentialSettings } from './credentials.ts'
import { parseAuthorization } from './request-credentials.ts'

/**
 * The credential that a caller sent for a service. With `Bearer` or `Basic` it goes where the plugin puts such a credential, with
 * another scheme into `Authorization` as it is, and a token alone goes where the plugin puts personal tokens.
 */
export function callerCredential(
  { kind, line, header }: BroughtCredential,
  settings: Omit<CredentialSettings, 'values'> & { readonly source?: CredentialSource },
): Credential {
  const { instance, placement, fingerprintKey, source = { kind: 'header', header } } = settings
  const shared = { instance, fingerprintKey, source }
  if (kind === 'apiKey') return headerCredential('apiKey', line, { ...shared, placement })
  const { scheme, value } = parseAuthorization(line) ?? refuse(instance, header)
  switch (scheme?.toLowerCase()) {
    case 'bearer':
      return headerCredential('oauth', value, { ...shared, placement })
    case 'basic': {
      const credential = headerCredential('basic', value, { ...shared, placement })
      const pair = Buffer.from(value, 'base64').toString()
      return Object.freeze({ ...credential, secrets: [...credential.secrets, pair, pair.slice(pair.indexOf(':') + 1)] })
    }
    case undefined:
      return headerCredential('personalToken', value, { ...shared, placement })
    default:
      return headerCredential('personalToken', value, {
        ...shared,
        placement: { personalToken: { header: 'Authorization', scheme: scheme ?? '' } },
      })
  }
}

function refuse(plugin: string, setting: string): never {
  throw hostError('CREDENTIAL_INVALID', { plugin, setting, problem: 'holds no credential' })
}
