import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
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
  { configDir, instance }: { readonly configDir: string; readonly instance: string },
): NetworkSettings {
  const { caFile, certFile, keyFile, proxyUrl, http2, connectTimeoutMs, headersTimeoutMs, bodyTimeoutMs, maxConnections } = http
  const read = (file: string, setting: string) => readCertificates(resolve(configDir, file), setting)
  return {
    limits: {
      ...(connectTimeoutMs === undefined ? {} : { connectMs: connectTimeoutMs }),
      ...(headersTimeoutMs === undefined ? {} : { headersMs: headersTimeoutMs }),
      ...(bodyTimeoutMs === undefined ? {} : { bodyMs: bodyTimeoutMs }),
      ...(maxConnections === undefined ? {} : { connections: maxConnections }),
    },
    ...(caFile === undefined ? {} : { ca: read(caFile, 'caFile') }),
    ...(certFile === undefined || keyFile === undefined
      ? {}
      : { clientCertificate: { cert: read(certFile, 'certFile'), key: read(keyFile, 'keyFile') } }),
    ...(proxyUrl === undefined ? {} : { proxy: readProxy(proxyUrl, instance) }),
    ...(http2 === undefined ? {} : { http2 }),
  }
}

type NetworkSettings = Pick<ServiceHttpOptions, 'limits' | 'ca' | 'clientCertificate' | 'proxy' | 'http2'>

function readProxy(text: string, plugin: string): Proxy {
  const refuse = (problem: string) =>
    hostError('SERVICE_URL_INVALID', { plugin, setting: `http.proxyUrl of "${plugin}"`, problem })
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
