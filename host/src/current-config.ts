import { isDeepStrictEqual } from 'node:util'
import type { ResolvedConfig } from './config/schema/schema.ts'
import { collisionError, findSharedVariables, hostReaders } from './plugin/settings/environment-readers.ts'
import { changedInstances } from './plugin/settings/tenant-config.ts'
import { compilePolicy, type Policy } from './server/catalog/policy.ts'
import type { HostEnvironment } from './types.ts'

/** What a host runs by now: read it where it is used, as a reload replaces it. */
export interface CurrentConfig {
  readonly config: ResolvedConfig
  readonly env: HostEnvironment
  readonly policy: Policy
  /** Takes over what is given, in one step, and says what is different now. */
  replace(next: { readonly config: ResolvedConfig | undefined; readonly env: HostEnvironment | undefined }): ConfigChange
}

/** What decides which plugins are built again. */
export interface ConfigChange {
  readonly isNewConfig: boolean
  /** The environment variables that are set to something else. */
  readonly variables: ReadonlySet<string>
  /** The instances that a tenant configures differently. */
  readonly forTenants: ReadonlySet<string>
  /** Something that every version of a plugin is built with differs. */
  readonly rightsChanged: boolean
}

/** `source` names the config in explanations. */
export function createCurrentConfig(first: ResolvedConfig, env: HostEnvironment, source: string): CurrentConfig {
  let now = { config: first, env, policy: compilePolicy(first, source) }
  return {
    get config() {
      return now.config
    },
    get env() {
      return now.env
    },
    get policy() {
      return now.policy
    },
    replace({ config = now.config, env: nextEnv = now.env }) {
      const before = now
      const isNewConfig = !isDeepStrictEqual(config, before.config)
      now = isNewConfig ? { config, env: nextEnv, policy: compilePolicy(config, source) } : { ...before, env: nextEnv }
      return {
        isNewConfig,
        variables: changedVariables(before.env, nextEnv),
        forTenants: changedInstances(before.config.tenants, config.tenants),
        rightsChanged: isNewConfig && !isDeepStrictEqual(rightsOf(config), rightsOf(before.config)),
      }
    },
  }
}

/** Throws `CONFIG_COLLISION` for a variable that the host itself would read for two things. */
export function refuseSharedVariables(config: Pick<ResolvedConfig, 'auth'>): void {
  const error = collisionError(findSharedVariables(hostReaders(config)))
  if (error) throw error
}

/** What every version of a plugin is built with. */
function rightsOf({ readOnly, frozen, auth, compat }: ResolvedConfig): readonly unknown[] {
  return [readOnly, frozen, auth.serverCredentials, auth.inbound.mode, compat]
}

/** The variables that are not set to the same in both. */
function changedVariables(before: HostEnvironment, after: HostEnvironment): ReadonlySet<string> {
  const names = new Set([...Object.keys(before), ...Object.keys(after)])
  return new Set([...names].filter((name) => before[name] !== after[name]))
}
