import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import type { PluginEntry } from '../config/schema.ts'
import { hostError } from '../errors.ts'
import type { ServiceHttpOptions } from '../network/http-client.ts'

/** The `http` of an entry as the network layer takes it. Throws `CONFIG_CA_FILE` for a certificate file that cannot be read. */
export function networkSettings(http: PluginEntry['http'], configDir: string): Pick<ServiceHttpOptions, 'limits' | 'ca'> {
  const { caFile, connectTimeoutMs, headersTimeoutMs, bodyTimeoutMs, maxConnections } = http
  return {
    limits: {
      ...(connectTimeoutMs === undefined ? {} : { connectMs: connectTimeoutMs }),
      ...(headersTimeoutMs === undefined ? {} : { headersMs: headersTimeoutMs }),
      ...(bodyTimeoutMs === undefined ? {} : { bodyMs: bodyTimeoutMs }),
      ...(maxConnections === undefined ? {} : { connections: maxConnections }),
    },
    ...(caFile === undefined ? {} : { ca: readCertificates(resolve(configDir, caFile)) }),
  }
}

function readCertificates(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch (error) {
    throw hostError('CONFIG_CA_FILE', { file, problem: error instanceof Error ? error.message : String(error) }, error)
  }
}
