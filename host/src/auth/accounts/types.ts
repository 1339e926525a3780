import type { AccountRecord } from './account.ts'

/** What a service gave for a person's consent. */
export interface Tokens {
  readonly accessToken: string
  readonly refreshToken?: string | undefined
  /** Milliseconds since 1970; undefined where the service did not say. */
  readonly expiresAt?: number | undefined
  readonly scopes: readonly string[]
  /** The client that they were given to, where the host registered one. */
  readonly registered?: RegisteredClient | undefined
}

/** A client that no config names: one that the host registered (RFC 7591), or the address of its metadata document. */
export interface RegisteredClient {
  readonly clientId: string
  readonly clientSecret?: string | undefined
}

/** The OAuth client of one entry at its service. Every method throws a `ServiceError`; none shows a token in it. */
export interface ServiceClient {
  /** Names the service and the client: tokens of another one are none of this. */
  readonly id: string
  /** The host that the person consents at, for people to read. */
  authorizationHost(): Promise<string>
  /** The access that each person is asked for; empty where the service decides. */
  askedScopes(): Promise<readonly string[]>
  /**
   * The client for this address to come back to, where the config names none: the one that `document` says, where the service reads such
   * documents, else one that is registered.
   */
  register(redirectUri: string, document?: string): Promise<RegisteredClient | undefined>
  /** Where the person is sent, with PKCE. */
  authorizationUrl(flow: AuthorizationFlow): Promise<URL>
  /** What the person came back with, for tokens. Checks `state` and `iss`. */
  exchange(cameBackTo: URL, flow: AuthorizationFlow): Promise<Tokens>
  /** Undefined when the service refuses the refresh token for good (`invalid_grant`). */
  refresh(refreshToken: string, registered?: RegisteredClient): Promise<Tokens | undefined>
  /** Whether the service took the tokens back; false where it does not offer that. */
  revoke(tokens: Pick<AccountRecord, 'accessToken' | 'refreshToken' | 'registered'>): Promise<boolean>
  /** Undefined where the service has no device flow. */
  readonly device: DeviceFlow | undefined
}

export interface AuthorizationFlow {
  readonly redirectUri: string
  readonly state: string
  readonly verifier: string
  readonly registered?: RegisteredClient | undefined
  /** In place of what is asked for always. */
  readonly scopes?: readonly string[] | undefined
}

/** RFC 8628. */
export interface DeviceFlow {
  /** `scopes`: in place of what is asked for always. */
  begin(scopes?: readonly string[]): Promise<DevicePrompt>
}

export interface DevicePrompt {
  readonly userCode: string
  readonly verificationUri: string
  /** Resolves when the person has consented at the service. */
  tokens(signal: AbortSignal): Promise<Tokens>
}
