import { dirname } from 'node:path'
import { withDefaults } from '../schema/defaults.ts'
import { mergeDeployment, DEFAULT_DEPLOYMENT } from './deployment.ts'
import { httpSchema, managementSchema } from '../schema/listen-schema.ts'
import { ruleFaults } from '../schema/rules.ts'
import { configSchema, normalizeEntry, type EmbeddedConfig, type HostConfig, type ResolvedConfig } from '../schema/schema.ts'
import { withDescription } from '../plugin/openapi-entry.ts'
import { invalid, validateEmbedded } from './validate-config.ts'
import type { ConfigSource } from './types.ts'

export interface ResolveOptions {
  /** Which of `deployments` is merged over the config. */
  readonly deployment?: string | undefined
  /** Decides `frozen` where the config does not: NODE_ENV. */
  readonly env?: Readonly<Record<string, string | undefined>>
  /** The file the config was read from, for the place of a fault. Without it the config is an embedder's and its shape is checked here. */
  readonly source?: ConfigSource
  /** Of an embedder's config, the folder that paths in it are relative to. */
  readonly configDir?: string
}

/**
 * The config the host runs by: the deployment merged in, every default applied, every contradiction refused with `CONFIG_INVALID`,
 * frozen. A config of a file must have passed `validateConfig`.
 */
export function resolveConfig(config: HostConfig | EmbeddedConfig, options: ResolveOptions = {}): ResolvedConfig {
  const { deployment = DEFAULT_DEPLOYMENT, env = {}, source, configDir = source && dirname(source.file) } = options
  if (!source) validateEmbedded(config)
  const { plugins = [], listen, ...rest } = mergeDeployment(config, deployment, source?.file)
  const { plugins: _, deployments: __, ...decided } = withDefaults(configSchema, rest)
  const resolved: ResolvedConfig = Object.freeze({
    ...decided,
    plugins: Object.freeze(
      plugins.map((entry) => normalizeEntry(configDir === undefined ? entry : withDescription(entry, configDir))),
    ),
    listen: resolveListen(listen),
    frozen: rest.frozen === undefined ? env['NODE_ENV'] === 'production' : rest.frozen !== false,
    strict: rest.frozen === 'strict',
    deployment,
  })
  const faults = ruleFaults(resolved)
  if (faults.length > 0) throw invalid(faults, source)
  return resolved
}

function resolveListen({
  stdio = false,
  http = !stdio,
  management,
}: NonNullable<HostConfig['listen']> = {}): ResolvedConfig['listen'] {
  const operations = management ?? http !== false
  return Object.freeze({
    stdio,
    http: http === false ? undefined : withDefaults(httpSchema, http === true ? {} : http),
    management: operations === false ? undefined : withDefaults(managementSchema, operations === true ? {} : operations),
  })
}
