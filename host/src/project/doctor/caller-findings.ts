import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { isLoopbackHost } from '../../config/schema/secure-url.ts'
import { isObject } from '../../data/json.ts'
import type { Project } from '../open-project.ts'
import type { Finding } from './finding.ts'

/** Who may call that should not, and who may not that should. */
export function callerFindings({
  settings: { config, env },
  configDir,
}: Pick<Project, 'settings' | 'configDir'>): readonly Finding[] {
  const { http, management } = config.listen
  const { mode, keys, keysFile, dangerouslyAllowUnauthenticated } = config.auth.inbound
  const file = resolve(configDir, keysFile)
  const token = management?.admin?.tokenVariable
  const findings: readonly (Finding | false | undefined)[] = [
    http &&
      mode === 'none' &&
      dangerouslyAllowUnauthenticated &&
      !isLoopbackHost(http.host) && {
        about: 'config',
        problem: `Whoever reaches ${http.host}:${http.port} is the operator`,
        cause: 'auth.inbound.dangerouslyAllowUnauthenticated is true, and no caller is asked for a key',
        fix: ['Set auth.inbound.mode to apiKey or oauth', 'Or listen on 127.0.0.1'],
      },
    mode === 'apiKey' &&
      keys.length === 0 &&
      !hasKeys(file) && {
        about: 'config',
        problem: 'There is no API key: every call over HTTP is refused',
        cause: `auth.inbound.mode is apiKey, and ${file} has no key`,
        fix: ['npx mcp-patchbay keys create --id me'],
      },
    token !== undefined &&
      !env[token] &&
      !env[`${token}_FILE`] && {
        about: 'config',
        problem: `${token} is not set`,
        cause: 'listen.management.admin wants the token of the admin API there, and the host does not start without it',
        fix: [`Set ${token} to 32 random characters or more, or take listen.management.admin out of the config`],
      },
  ]
  return findings.filter((finding) => typeof finding === 'object')
}

function hasKeys(file: string): boolean {
  try {
    const value: unknown = JSON.parse(readFileSync(file, 'utf8'))
    return isObject(value) && Array.isArray(value['keys']) && value['keys'].length > 0
  } catch {
    return false
  }
}
