import { isSecret } from '../../config/schema/check-value.ts'
import { isObject } from '../../data/json.ts'
import type { Host } from '../../types.ts'
import type { PluginRecord } from '../../plugin/run/plugin-record.ts'
import type { Finding } from './finding.ts'

/** What the host itself says of its plugins and rules, and secrets that are in the config instead of the environment. */
export function pluginFindings(host: Host): readonly Finding[] {
  const { plugins, warnings, ignored } = host.list()
  const down = plugins.filter(({ state, reloadError }) => state === 'failed' || state === 'quarantined' || reloadError !== null)
  return [
    ...down.map(({ name, state, reason, reloadError }): Finding => {
      const why = reason ?? reloadError
      return {
        about: 'plugin',
        problem: `${name} is ${state}`,
        cause: why?.message ?? 'the host does not say why',
        fix: why?.fix ?? [`npx mcp-patchbay list`],
      }
    }),
    ...warnings.map((warning): Finding => ({
      about: 'config',
      problem: warning,
      cause: 'the setting does not do what it seems to; a frozen deployment may not start with it',
      fix: [
        'Correct it, or take it out',
        'npx mcp-patchbay list --tools names every tool, npx mcp-patchbay explain TOOL its tags',
      ],
    })),
    // A folder that does not exist is a finding of file-findings.ts.
    ...ignored
      .filter(({ code }) => code !== 'PLUGIN_DIR_MISSING')
      .map(({ message, fix }): Finding => ({
        about: 'plugin',
        problem: message,
        cause: 'it is in a folder of pluginDirs',
        fix,
      })),
    ...host.snapshot.plugins.flatMap(inlineSecrets),
  ]
}

/** A secret in the config is in the repository, and in every copy of it. */
function inlineSecrets({ instance, entry, surface }: PluginRecord): readonly Finding[] {
  const properties = surface?.config['properties']
  if (!isObject(properties)) return []
  const secrets = Object.keys(entry.config).filter((key) => {
    const schema = properties[key]
    return isObject(schema) && isSecret(schema, [key])
  })
  return secrets.map((key) => {
    const variable = `${instance}_${key.replace(/([a-z0-9])([A-Z])/g, '$1_$2')}`.toUpperCase()
    return {
      about: 'config',
      problem: `config.${key} of the entry "${instance}" is a secret, written into the config`,
      cause: 'anyone who reads the config, or a copy of the repository, has it',
      fix: [`Take it out and set ${variable} in the environment or in .env`, 'Make a new one: this one may have been read'],
    }
  })
}
