import { isLoopbackHost } from '../../config/schema/secure-url.ts'

/** The address that an OAuth client is known by, and what an authorization server reads there. */
export interface ClientDocument {
  readonly clientId: string
  readonly json: string
}

export interface ClientDocumentOptions {
  /** Where the pages are reached, without a slash at its end. */
  readonly base: string
  readonly instance: string
  /** For the person who is asked to consent. */
  readonly title: string
  readonly redirectUri: string
}

/**
 * The metadata of this host as the OAuth client of one instance (draft-ietf-oauth-client-id-metadata-document, MCP 2025-11-25). An
 * authorization server that reads it needs no registration. An instance that does not exist has one too, so it does not reveal which exist.
 */
export function clientDocument({ base, instance, title, redirectUri }: ClientDocumentOptions): ClientDocument {
  const clientId = `${base}/accounts/client/${instance}.json`
  const document = {
    client_id: clientId,
    client_name: title,
    client_uri: base,
    redirect_uris: [redirectUri],
    grant_types: ['authorization_code', 'refresh_token'],
    response_types: ['code'],
    token_endpoint_auth_method: 'none',
    application_type: 'web',
  }
  return { clientId, json: JSON.stringify(document) }
}

/** Whether an authorization server elsewhere can read a document at `publicUrl`, as far as its form says. */
export function canBeRead(publicUrl: string | undefined): boolean {
  const url = publicUrl === undefined ? null : URL.parse(publicUrl)
  return url?.protocol === 'https:' && !isLoopbackHost(url.hostname)
}
