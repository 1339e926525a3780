import packageJson from '../../../package.json' with { type: 'json' }
import { randomBytes } from 'node:crypto'
import { secretVariable } from '../../auth/outbound/secret-variable.ts'
import { createServiceCredential } from '../../auth/outbound/service-credential.ts'
import { remoteAddress } from '../../config/schema/account-rules.ts'
import { isPackage, type PluginEntry } from '../../config/schema/schema.ts'
import { serverOf } from '../../config/schema/server/server-specifier.ts'
import { readNetworkVariables, type NetworkVariables } from '../../config/plugin/network-variables.ts'
import { variablesOfConfig } from '../settings/environment-readers.ts'
import { hostError } from '../../errors.ts'
import { credentialAlternatives, variableName } from '../../config/plugin/variables.ts'
import type { OnUpstream } from '../../network/delivery.ts'
import { createServiceHttp } from '../../network/http-client.ts'
import type { CallAccount } from '../../network/http-call-scope.ts'
import type { Tracing } from '../../observability/tracing/types.ts'
import type { Redactor } from '../../observability/redact.ts'
import type { HttpOptions, ServiceLine } from './service-line.ts'
import { currentCall } from './inline-call-scope.ts'
import { networkSettings } from './http-settings.ts'

/** Fingerprints of credentials mean nothing outside this process. */
const fingerprintKey = randomBytes(32)

/** The way of one plugin version to its service: its base URL is `apiUrl` of its config, its credential whichever the config holds. */
export function serviceHttp(
  { instance, version, prefix, surface, entry, config, secrets, sources, policy, log }: HttpOptions,
  { redactor, readOnly, frozen, configDir, env, operatorAccount = async () => undefined, onUpstream, tracing }: ServiceHttpDeps,
): ServiceLine {
  const baseUrl = typeof config['apiUrl'] === 'string' ? config['apiUrl'] : undefined
  const variables = networkVariables({ instance, prefix, surface, entry }, { env, frozen })
  const { sslVerify = true, ...network } = networkSettings(entry.http, { configDir, instance, prefix, variables })
  if (!sslVerify)
    log.warn('certificate_not_checked', { prefix, reason: `${variableName(prefix, 'sslVerify')} or http.sslVerify is false` })
  const proxy = network.proxy?.authorization
  const known = [...secrets.values(), ...(proxy === undefined ? [] : [passwordOf(proxy)])].map((secret) => redactor.add(secret))
  const credential = createServiceCredential({
    settings: { instance, prefix, values: textValues(config, secrets), placement: surface.credentials, fingerprintKey },
    policy: {
      ...policy,
      isRaw: policy.isRaw && secrets.size > 0,
      // With token exchange configured, calls must go as the caller, and never without one.
      isNeeded: policy.isNeeded || entry.oauth !== undefined,
    },
    exchange: entry.exchange && { ...entry.exchange, clientSecret: secretOf(instance, entry.exchange, { env, configDir }) },
    canLink: entry.oauth !== undefined,
    // A server elsewhere is listed before the first call.
    operatorAccount: entry.oauth && remoteAddress(entry) !== undefined ? () => operatorAccount(instance) : undefined,
    redactor,
    log,
    network,
  })
  const http = createServiceHttp({
    ...network,
    sslVerify,
    instance,
    baseUrl,
    // An address in the private network is the operator's to give, not a package's to bring as its default.
    allowPrivateBase: sources['apiUrl'] !== 'default' || !isPackage(entry.use) || serverOf(entry.use) !== undefined,
    extraHosts: grantedHosts(surface.capabilities.hosts ?? [], entry),
    placement: surface.credentials,
    headers: surface.headers ?? {},
    userAgent: userAgentOf(surface.name, version),
    credential: credential.resolve,
    hints: {
      credentialVariables: credentialAlternatives(prefix, surface.config),
      scopes: surface.scopes,
      docsUrl: surface.docsUrl,
      baseUrlVariable: variableName(prefix, 'apiUrl'),
      caFileVariable: variableName(prefix, 'caFile'),
    },
    redactor,
    hidesSecrets: true,
    log,
    currentCall,
    ...(onUpstream && { onUpstream }),
    tracing,
    readOnly: readOnly || entry.readOnly || onlyReads(surface, entry),
  })
  return {
    http: {
      ...http,
      async [Symbol.asyncDispose]() {
        await Promise.all([http[Symbol.asyncDispose](), credential[Symbol.asyncDispose]()])
        for (const forget of known) forget()
      },
    },
    credentialUse: credential.useOf,
  }
}

/**
 * Those of a tenant before those of the entry, but for the check of certificates: to go without it is said of one address. Throws
 * `NETWORK_VARIABLE`, and `TLS_UNVERIFIED` where the deployment is frozen and the config does not say so as well.
 */
function networkVariables(
  { instance, prefix, surface, entry }: Pick<HttpOptions, 'instance' | 'prefix' | 'surface' | 'entry'>,
  { env, frozen }: Pick<ServiceHttpDeps, 'env' | 'frozen'>,
): NetworkVariables {
  const read = (of: string) => readNetworkVariables(of, { env, ofConfig: variablesOfConfig(of, surface) })
  const { sslVerify: _, ...ofEntry } = prefix === instance ? {} : read(instance)
  const own = read(prefix)
  if (own.sslVerify === false && frozen && entry.http.sslVerify !== false)
    throw hostError('TLS_UNVERIFIED', { variable: variableName(prefix, 'sslVerify'), plugin: instance })
  return { ...ofEntry, ...own }
}

export interface ServiceHttpDeps {
  readonly frozen: boolean
  readonly redactor: Redactor
  readonly onUpstream?: OnUpstream
  readonly tracing?: Tracing | undefined
  readonly readOnly: boolean
  readonly configDir: string
  readonly env: Readonly<Record<string, string | undefined>>
  /** The account that the operator linked for a plugin. */
  readonly operatorAccount?: ((instance: string) => Promise<CallAccount | undefined>) | undefined
}

/** Each service sees which plugin asks. One that has no version is as old as this host. */
function userAgentOf(name: string, version = packageJson.version): string {
  const isToken = /^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,64}$/.test(version)
  return isToken ? `patchbay-${name}/${version}` : `patchbay-${name}`
}

/** Throws `AUTH_SECRET` for a variable that is named and not set. */
function secretOf(
  instance: string,
  { clientSecretVariable: variable }: NonNullable<PluginEntry['exchange']>,
  source: Pick<ServiceHttpDeps, 'env' | 'configDir'>,
): string | undefined {
  return variable === undefined
    ? undefined
    : secretVariable(variable, `The client secret of exchange of the entry "${instance}"`, source)
}

/** Of `Basic …`. */
function passwordOf(authorization: string): string {
  const pair = Buffer.from(authorization.slice('Basic '.length), 'base64').toString()
  return pair.slice(pair.indexOf(':') + 1)
}

/** What a credential may be made of: the secrets, and the plain texts beside them such as a user name. */
function textValues(
  config: Readonly<Record<string, unknown>>,
  secrets: ReadonlyMap<string, string>,
): ReadonlyMap<string, string> {
  const texts = Object.entries(config).flatMap(([key, value]) => (typeof value === 'string' ? [[key, value] as const] : []))
  return new Map([...texts, ...secrets])
}

/** A plugin that runs in the host is trusted with what it declares; one in its own process gets what the config grants of that. */
function grantedHosts(declared: readonly string[], { isolation, capabilities }: HttpOptions['entry']): readonly string[] {
  return isolation === 'inline' ? declared : declared.filter((host) => capabilities.hosts.includes(host))
}

/** A process may say that it works in the background when it does not: where no tool writes, nothing of the plugin does. */
function onlyReads({ tools }: HttpOptions['surface'], { isolation }: HttpOptions['entry']): boolean {
  return isolation === 'process' && tools.every(({ access }) => access === 'read')
}
