import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import type { NetworkVariables } from '../../config/plugin/network-variables.ts'
import { variableName } from '../../config/plugin/variables.ts'
import type { PluginEntry } from '../../config/schema/schema.ts'
import { hostError } from '../../errors.ts'
import type { Proxy } from '../../network/connect/proxy.ts'
import type { ServiceHttpOptions } from '../../network/http-client.ts'

/**
 * The `http` of an entry as the network layer takes it. Throws `CONFIG_CA_FILE` for a certificate file that cannot be read, and
 * `SERVICE_URL_INVALID` for a proxy that is none.
 */
export function networkSettings(
  http: PluginEntry['http'],
  { configDir, instance, prefix = instance, variables = {} }: NetworkSources,
): NetworkSettings {
  const { timeoutMs } = variables
  const named = (key: string) => `http.${key} of the entry "${instance}" in the config file`
  const ca = variables.caFile === undefined ? http.caFile : variables.caFile
  const caName = variables.caFile === undefined ? named('caFile') : variableName(prefix, 'caFile')
  const proxy = variables.proxyUrl ?? http.proxyUrl
  const proxyName = variables.proxyUrl === undefined ? `http.proxyUrl of "${instance}"` : variableName(prefix, 'proxyUrl')
  const sslVerify = variables.sslVerify ?? http.sslVerify
  const { certFile, keyFile, http2, connectTimeoutMs, maxConnections } = http
  const { headersTimeoutMs, bodyTimeoutMs } =
    timeoutMs === undefined ? http : { headersTimeoutMs: timeoutMs, bodyTimeoutMs: timeoutMs }
  const read = (file: string, setting: string) => readCertificates(resolve(configDir, file), setting)
  return {
    limits: {
      ...(connectTimeoutMs === undefined ? {} : { connectMs: connectTimeoutMs }),
      ...(headersTimeoutMs === undefined ? {} : { headersMs: headersTimeoutMs }),
      ...(bodyTimeoutMs === undefined ? {} : { bodyMs: bodyTimeoutMs }),
      ...(maxConnections === undefined ? {} : { connections: maxConnections }),
    },
    ...(ca === undefined ? {} : { ca: read(ca, caName) }),
    ...(certFile === undefined || keyFile === undefined
      ? {}
      : { clientCertificate: { cert: read(certFile, named('certFile')), key: read(keyFile, named('keyFile')) } }),
    ...(proxy === undefined ? {} : { proxy: readProxy(proxy, instance, proxyName) }),
    ...(sslVerify === undefined ? {} : { sslVerify }),
    ...(http2 === undefined ? {} : { http2 }),
  }
}

type NetworkSettings = Pick<ServiceHttpOptions, 'limits' | 'ca' | 'clientCertificate' | 'proxy' | 'http2' | 'sslVerify'>

interface NetworkSources {
  readonly configDir: string
  readonly instance: string
  /** What its variables begin with. */
  readonly prefix?: string
  /** They go before `http` of the entry. */
  readonly variables?: NetworkVariables
}

function readProxy(text: string, plugin: string, setting: string): Proxy {
  const refuse = (problem: string) => hostError('SERVICE_URL_INVALID', { plugin, setting, problem })
  const url = URL.parse(text)
  if (url?.protocol !== 'http:' && url?.protocol !== 'https:') throw refuse('is not an http:// or https:// URL')
  if (url.pathname !== '/' || url.search || url.hash) throw refuse('has a path, query or fragment')
  const [user, password] = [decodeURIComponent(url.username), decodeURIComponent(url.password)]
  const authorization =
    user === '' && password === '' ? undefined : `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`
  url.username = url.password = ''
  return { url, authorization }
}

function readCertificates(file: string, setting: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch (error) {
    throw hostError('CONFIG_CA_FILE', { file, setting, problem: error instanceof Error ? error.message : String(error) }, error)
  }
}
