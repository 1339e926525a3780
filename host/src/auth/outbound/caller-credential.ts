import { Buffer } from 'node:buffer'
import { hostError } from '../../errors.ts'
import type { Credential, CredentialSource } from '../../network/request/placed-credential.ts'
import { headerCredential, type CredentialSettings } from './credentials.ts'
import { parseAuthorization, upstreamHeader } from './request-credentials.ts'

/**
 * The credential that a caller sent for a service. With `Bearer` or `Basic` it goes where the plugin puts such a credential, with
 * another scheme into `Authorization` as it is, and a token alone goes where the plugin puts personal tokens.
 */
export function callerCredential(
  line: string,
  settings: Omit<CredentialSettings, 'values'> & { readonly source?: CredentialSource },
): Credential {
  const { instance, placement, fingerprintKey } = settings
  const header = upstreamHeader(instance)
  const { source = { kind: 'header', header } } = settings
  const { scheme, value } = parseAuthorization(line) ?? refuse(instance, header)
  const shared = { instance, fingerprintKey, source }
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
