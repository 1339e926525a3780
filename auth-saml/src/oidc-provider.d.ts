/** The package ships no types: here is what is used of it. */
declare module 'oidc-provider' {
  import type { IncomingMessage, ServerResponse } from 'node:http'

  export interface Configuration {
    readonly adapter?: (model: string) => object
    readonly jwks?: { readonly keys: readonly object[] }
    readonly clients?: readonly object[]
    readonly clientDefaults?: object
    readonly clientBasedCORS?: (ctx: unknown, origin: string, client: Client) => boolean
    readonly scopes?: readonly string[]
    readonly features?: {
      readonly resourceIndicators?: {
        readonly enabled: boolean
        readonly defaultResource?: () => string
        readonly getResourceServerInfo: (ctx: unknown, resource: string) => object
        readonly useGrantedResource: () => boolean
      }
      readonly [name: string]: object | undefined
    }
    readonly extraClientMetadata?: {
      readonly properties: readonly string[]
      readonly validator: (ctx: unknown, key: string, value: unknown) => void
    }
    readonly fetch?: (url: URL, options: object) => Promise<Response>
    readonly extraTokenClaims?: () => object
    readonly claims?: Readonly<Record<string, readonly string[]>>
    readonly conformIdTokenClaims?: boolean
    readonly findAccount?: (ctx: unknown, id: string) => Found | undefined | Promise<Found | undefined>
    readonly formats?: {
      readonly customizers: {
        readonly jwt: (
          ctx: unknown,
          token: { readonly accountId: string },
          parts: { payload: Record<string, unknown> },
        ) => Promise<void>
      }
    }
    readonly interactions?: {
      readonly policy?: readonly Prompt[]
      readonly url: (ctx: unknown, interaction: { readonly uid: string }) => string
    }
    readonly issueRefreshToken?: (ctx: unknown, client: Client) => boolean
    readonly pkce?: { readonly required: () => boolean }
    readonly cookies?: { readonly keys: readonly string[]; readonly [group: string]: object }
    readonly renderError?: (ctx: RenderContext, out: { readonly error: string; readonly error_description?: string }) => void
    readonly ttl?: Readonly<Record<string, number>>
  }

  export interface Found {
    readonly accountId: string
    readonly claims: () => object
  }

  export interface RenderContext {
    type: string
    body: string
    set(headers: Readonly<Record<string, string>>): void
  }

  export interface Client {
    readonly clientId: string
    readonly clientName?: string
    readonly redirectUris: readonly string[]
    grantTypeAllowed(type: string): boolean
  }

  export interface Interaction {
    readonly uid: string
    readonly prompt: { readonly name: string; readonly details: unknown }
    readonly params: Readonly<Record<string, unknown>>
    /** What the person granted this client before. */
    readonly grantId?: string
    readonly session?: { readonly accountId: string }
  }

  export interface Grant {
    addOIDCScope(scope: string): void
    addResourceScope(resource: string, scope: string): void
    rejectResourceScope(resource: string, scope: string): void
    save(): Promise<string>
  }

  export class Provider {
    constructor(issuer: string, configuration: Configuration)
    /** Believe `X-Forwarded-Proto`. */
    proxy: boolean
    readonly Client: { find(id: string): Promise<Client | undefined> }
    readonly Grant: {
      new (properties: { accountId: string; clientId: string }): Grant
      find(id: string): Promise<Grant | undefined>
    }
    on(event: string, listener: (ctx: unknown, error: Error) => void): void
    callback(): (req: IncomingMessage, res: ServerResponse) => Promise<void>
    interactionDetails(req: IncomingMessage, res: ServerResponse): Promise<Interaction>
    interactionFinished(
      req: IncomingMessage,
      res: ServerResponse,
      result: object,
      options?: { mergeWithLastSubmission: boolean },
    ): Promise<void>
  }

  export interface Prompt {
    readonly checks: { add(check: object): void }
  }

  export interface PolicyContext {
    readonly oidc: {
      readonly session: { readonly accountId?: string }
      readonly result?: { readonly login?: object }
    }
  }

  export const interactionPolicy: {
    base(): readonly Prompt[] & { get(name: string): Prompt }
    readonly Check: new (reason: string, description: string, check: (ctx: PolicyContext) => boolean | Promise<boolean>) => object
  }

  export const errors: {
    readonly InvalidClientMetadata: new (description: string) => Error
    readonly InvalidGrant: new (detail: string) => Error
    readonly InvalidTarget: new () => Error
    readonly SessionNotFound: new (description: string) => Error
  }
}
