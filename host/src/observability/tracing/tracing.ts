import { createRequire } from 'node:module'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { startSpans, type OpenTelemetry } from './spans.ts'
import type { Tracing, TracingOptions } from './types.ts'

/** What spans are made and sent with. */
const PACKAGES = [
  '@opentelemetry/api',
  '@opentelemetry/sdk-trace',
  '@opentelemetry/resources',
  '@opentelemetry/exporter-trace-otlp-http',
] as const

/** Undefined, and nothing is read, while the environment names no collector; also, with a line in the log, where a package is missing. */
export async function openTracing({ env, configDir, log }: TracingOptions): Promise<Tracing | undefined> {
  const endpoint = env['OTEL_EXPORTER_OTLP_TRACES_ENDPOINT'] ?? env['OTEL_EXPORTER_OTLP_ENDPOINT']
  if (!endpoint || env['OTEL_SDK_DISABLED'] === 'true') return undefined
  const { resolve } = createRequire(join(configDir, 'mcp.config.ts'))
  try {
    const read = async (name: string): Promise<object> => (await import(pathToFileURL(resolve(name)).href)) as object
    const [, sdk, resources, exporter] = await Promise.all(PACKAGES.map(read))
    return startSpans({ ...sdk, ...resources, ...exporter } as OpenTelemetry, env)
  } catch (error) {
    log.warn('tracing_off', {
      reason: error instanceof Error ? error.message.split('\n', 1)[0] : 'a package of OpenTelemetry cannot be read',
      fix: `Run npm install --save-exact ${PACKAGES.join(' ')}, or unset OTEL_EXPORTER_OTLP_ENDPOINT`,
    })
    return undefined
  }
}
