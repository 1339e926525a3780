import { isAbsolute, join } from 'node:path'
import { entry, lastLines, type Entry } from './error-definition.ts'

/** A plugin that cannot be loaded, started or kept running. */
export const pluginErrors = {
  PLUGIN_SPECIFIER: entry<{ plugin: string; use: string; why: string }>(
    ({ plugin, use, why }) => `Plugin "${plugin}" cannot be loaded from ${JSON.stringify(use)}: ${why}`,
    () => [
      'Give a path that begins with ./ or ../ and stays in the repository or workspace of the config file, or the name of an installed npm package',
      'To develop a plugin elsewhere, link it: npm link, or a symlink in a folder of pluginDirs',
    ],
  ),
  /** `named` is given where the folder is there and its module is not: what its package.json names. */
  PLUGIN_NOT_FOUND: entry<{ plugin: string; use: string; where: string; named?: readonly string[] }>(
    ({ plugin, use, where, named }) => {
      if (!named) return `Plugin "${plugin}" (${use}) was not found in ${where}`
      const why =
        named.length > 0
          ? `its package.json names ${named.join(', ')}, which is not there`
          : 'it has no index file and no package.json with exports or main'
      return `Plugin "${plugin}" (${use}) has no module in ${where}: ${why}`
    },
    ({ use, where, named }) => {
      const isPath = use.startsWith('.') || isAbsolute(use)
      if (!named) return [isPath ? 'Fix the path in the config file' : `Install it: npx mcp-patchbay add ${use}`]
      if (isPath)
        return [
          named.length > 0 ? `Build it, or correct exports in ${join(where, 'package.json')}` : 'Fix the path in the config file',
        ]
      return [
        'As the author of the package: build it before npm pack, and name what is built under exports and files of package.json',
        `Otherwise install another release: npm view ${use} versions`,
      ]
    },
  ),
  /** `inEntry` says whether the entry names the file, and not a variable. */
  PLUGIN_DOCUMENT: entry<{ plugin: string; file: string; problem: string; inEntry: boolean }>(
    ({ plugin, file, problem }) => `Plugin "${plugin}" has no OpenAPI description: ${file} ${problem}`,
    ({ plugin, inEntry }) => [
      inEntry
        ? `Fix the path in the entry "${plugin}": use: 'openapi:./FILE', relative to the config`
        : `Fix the path in the variable that names it: npx mcp-patchbay env ${plugin}`,
    ],
  ),
  PLUGIN_IGNORED: entry<{ path: string; problem: string; fix: readonly string[] }>(
    ({ path, problem }) => `${path} is not served: ${problem}`,
    ({ fix }) => fix,
  ),
  PLUGIN_DIR_MISSING: entry<{ folder: string }>(
    ({ folder }) => `pluginDirs names ${folder}, which does not exist`,
    ({ folder }) => [`Create it: mkdir -p ${folder}`, 'Or correct pluginDirs in the config file'],
  ),
  PLUGIN_VERSION: entry<{ plugin: string; use: string; wanted: string; found: string }>(
    ({ plugin, use, wanted, found }) => `Plugin "${plugin}" is pinned to ${use}@${wanted}, but ${found} is installed`,
    ({ use, wanted }) => [
      `Install the pinned version: npm install --save-exact --ignore-scripts ${use}@${wanted}`,
      'Or change the pin in the config file',
    ],
  ),
  PLUGIN_INTEGRITY: entry<{ plugin: string; use: string; wanted: string; found: string }>(
    ({ plugin, use, wanted, found }) =>
      `Plugin "${plugin}" (${use}) must have the integrity ${wanted}, but the installed package has ${found}`,
    () => ['Install what is pinned: npm ci --ignore-scripts', 'Or change integrity of the entry in the config file'],
  ),
  PLUGIN_IMPORT: entry<{ plugin: string; problem: string; fix?: readonly string[] | undefined }>(
    ({ plugin, problem }) => `Plugin "${plugin}" could not be imported: ${problem}`,
    ({ fix }) => (fix?.length ? fix : ['Fix the file. With --watch the next save is tried at once']),
  ),
  PLUGIN_UNSTABLE: entry<{ plugin: string; tools: readonly string[] }>(
    ({ plugin, tools }) =>
      `Plugin "${plugin}" discovers something else each time it is asked${tools.length > 0 ? `: ${tools.slice(0, 10).join(', ')}` : ''}`,
    () => [
      'Make discover give the same for the same config: no times, no random names, lists in a fixed order',
      'Or ask its author for a release that does',
    ],
  ),
  PLUGIN_TIMEOUT: entry<{ plugin: string; step: string; ms: number }>(
    ({ plugin, step, ms }) => `Plugin "${plugin}" did not finish ${step} within ${ms} ms`,
    () => ['Find a top-level await, or a start(), that never resolves', 'Raise limits.loadTimeoutMs if it needs longer'],
  ),
  PLUGIN_CONTRACT: entry<{ plugin: string; faults: readonly { path: string; problem: string; fix: string }[] }>(
    ({ plugin, faults }) =>
      `Plugin "${plugin}" is not a ServicePlugin: ${shown(faults.map(({ path, problem }) => `${path} ${problem}`)).join('; ')}`,
    ({ faults }) => shown(faults.map(({ path, fix }) => `${path}: ${fix}`)),
  ),
  PLUGIN_COLLISION: entry<{ plugin: string; kind: string; name: string; other: string }>(
    ({ plugin, kind, name, other }) => `Plugin "${plugin}" has the ${kind} ${JSON.stringify(name)}, which "${other}" already has`,
    () => ['Mount one of them under another name: { use: …, as: "other_name" }'],
  ),
  PLUGIN_UNCONFIGURED: entry<{ plugin: string; problems: readonly string[]; fixes: readonly string[] }>(
    ({ plugin, problems }) => `Plugin "${plugin}" is not configured: ${problems.join('; ')}`,
    ({ fixes }) => fixes,
  ),
  TENANT_UNCONFIGURED: entry<{ plugin: string; tenant: string; problems: readonly string[]; prefix: string }>(
    ({ plugin, tenant, problems }) => `Plugin "${plugin}" is not configured for the tenant "${tenant}": ${problems.join('; ')}`,
    ({ plugin, tenant, prefix }) => [
      `Set it in tenants.${tenant}.plugins.${plugin}.config in the config file, or in variables that begin with ${prefix}`,
      `A tenant with its own config does not use the credentials of the entry "${plugin}"`,
    ],
  ),
  /** `ofService` is given where the service failed the plugin: the step that its error names, or ''. */
  PLUGIN_START: entry<{ plugin: string; step: string; problem: string; ofService?: string | undefined }>(
    ({ plugin, step, problem }) => `Plugin "${plugin}" failed in ${step}: ${problem}`,
    ({ plugin, ofService }) =>
      ofService === undefined
        ? ['Fix the plugin. The log has the full error']
        : [
            ofService || `See that its service answers. Where it is, and with which credential: npx mcp-patchbay env ${plugin}`,
            'If that is right, fix the plugin. The log has the full error',
          ],
  ),
  PLUGIN_RELOADED: entry<{ plugin: string; drainMs: number }>(
    ({ plugin, drainMs }) =>
      `The call was cancelled: plugin "${plugin}" was reloaded and the call did not finish on the old version within ${drainMs} ms`,
    () => ['Call again; the new version answers', 'Raise limits.drainMs if calls may take longer'],
  ),
  PLUGIN_PROCESS: entry<{ plugin: string; problem: string; output: string }>(
    ({ plugin, problem, output }) =>
      `The process of plugin "${plugin}" failed: ${problem}${output.trim() === '' ? '' : `. Its last output: ${lastLines(output)}`}`,
    () => [
      'Search the log for plugin_output at level debug: it has what the plugin printed',
      'A plugin in its own process may read its own folder and nothing else; grant what it needs in its capabilities in the config file',
      'Raise limits.pluginHeapMb or limits.pluginMemoryMb if it needs more memory',
    ],
  ),
  PLUGIN_RESTARTED: entry<{ plugin: string; why: string; mayHaveRun: boolean }>(
    ({ plugin, why, mayHaveRun }) =>
      `Plugin "${plugin}" was restarted during this call: ${why}. ${mayHaveRun ? 'The change may or may not have been made' : 'The tool only reads, so you can call it again'}`,
    ({ mayHaveRun }) =>
      mayHaveRun ? ['Check whether the change was made, and call again if it was not'] : ['Call again: the plugin is restarting'],
  ),
  PLUGIN_CRASHED: entry<{ plugin: string; why: string }>(
    ({ plugin, why }) => `Plugin "${plugin}" exited five times within a minute and stays down. The last time ${why}`,
    () => [
      'Search the log for plugin_exited: it has the last output of the plugin',
      'Fix the plugin, or restart the host. A change of its files or its entry also starts it again',
    ],
  ),
} satisfies Record<string, Entry<never>>

/** The first of them, each of bounded length: a plugin may have as many tools as it likes. */
function shown(lines: readonly string[]): readonly string[] {
  const first = lines.slice(0, 20).map((line) => (line.length > 500 ? `${line.slice(0, 500)}…` : line))
  return lines.length > 20 ? [...first, `and ${lines.length - 20} more`] : first
}
