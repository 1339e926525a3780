import { entry, type Entry } from './error-definition.ts'

/** What of an entry a lock pins by its value. */
type PinnedWord = 'source' | 'version' | 'command' | 'args' | 'env' | 'share' | 'roots' | 'name'

const INSTALL = 'Install what is locked: npm ci --ignore-scripts, and for MCP servers npx mcp-patchbay install'

/** What brings back the approved files: a plugin from a path is in version control, and no package manager has it. */
function restore(folder: string | undefined): string {
  return folder === undefined
    ? INSTALL
    : `Restore its files, and remove those that git status calls untracked: git checkout -- ${shellWord(folder)}`
}

function shellWord(path: string): string {
  return /^[\w@%+=:,./-]+$/.test(path) ? path : `'${path.replaceAll("'", `'\\''`)}'`
}

/** Whether a package manager put it there. */
function isInstalled(path: string): boolean {
  return /[\\/]node_modules[\\/]/.test(path)
}

/** The lock file, what it pins, and what an entry grants. */
export const pinErrors = {
  LOCK_INVALID: entry<{ path: string; line: number; column: number; problem: string }>(
    ({ path, line, column, problem }) => `${path}:${line}:${column}: ${problem}`,
    () => [
      'Restore the file from version control',
      'Or remove it, run npx mcp-patchbay lock, and review what it pins before you commit it',
    ],
  ),
  LOCK_TOO_NEW: entry<{ path: string; found: number; understood: number }>(
    ({ path, found, understood }) => `${path} has lockfileVersion ${found}; this version of Patchbay reads ${understood}`,
    () => [
      'Update Patchbay: npm install --save-exact mcp-patchbay@latest',
      'Or remove the file and write it again with this version: npx mcp-patchbay lock',
    ],
  ),
  LOCK_MISMATCH: entry<{ path: string; found: readonly string[] }>(
    ({ path, found }) =>
      `${found.length === 1 ? 'One thing is' : `${found.length} things are`} not as ${path} pins, and the deployment is frozen strictly:\n${found.map((line) => `  ${line}`).join('\n')}`,
    () => [
      'See what is different: npx mcp-patchbay diff',
      'Approve it: npx mcp-patchbay approve NAME',
      'Or install what the lock pins: npm ci --ignore-scripts',
      'Or set frozen: true, so that the host starts and holds these back',
    ],
  ),
  LOCK_TOO_LARGE: entry<{ path: string; bytes: number; limit: number }>(
    ({ path, bytes, limit }) => `${path} has ${bytes} bytes; the limit for a lock file is ${limit}, so it was not read`,
    () => ['Restore the file from version control'],
  ),
  LOCK_UNREADABLE: entry<{ path: string; problem: string }>(
    ({ path, problem }) => `${path} cannot be read: ${problem}`,
    ({ path }) => [`Make ${path} a UTF-8 text file, readable by the user of the host`],
  ),
  LOCK_WRITE_FAILED: entry<{ path: string; problem: string }>(
    ({ path, problem }) => `${path} could not be written: ${problem}`,
    ({ path }) => [
      `Free space on the disk, and make the folder of ${path} writable by this user. The file is complete, with its old or its new content`,
    ],
  ),
  PIN_NOT_LOCKED: entry<{ plugin: string }>(
    ({ plugin }) => `Plugin "${plugin}" is not in mcp.lock.json`,
    () => ['Run npx mcp-patchbay lock, review what it pins, and commit mcp.lock.json'],
  ),
  /** `folder` is that of a plugin from a path. */
  PIN_VERSION: entry<{ plugin: string; what: PinnedWord; locked: string; observed: string; folder?: string | undefined }>(
    ({ plugin, what, locked, observed }) =>
      `Plugin "${plugin}" is not the one in mcp.lock.json: its ${what} is ${observed}, the lock says ${locked}`,
    ({ plugin, what, folder }) => [
      what === 'version'
        ? restore(folder)
        : what === 'name'
          ? `Check what answers at the address of "${plugin}"`
          : `Write ${what === 'source' ? 'use' : what} in the entry of "${plugin}" as the lock has it`,
      `Or inspect npx mcp-patchbay diff, and if the change is intended: npx mcp-patchbay approve ${plugin}`,
    ],
  ),
  /** `folder` is that of a plugin from a path; `inDependencies` says whether only packages that it depends on differ, where that is known. */
  PIN_INTEGRITY: entry<{
    plugin: string
    what: 'package' | 'files'
    locked: string
    observed: string
    files: readonly string[]
    folder?: string | undefined
    inDependencies?: boolean | undefined
  }>(
    ({ plugin, what, locked, observed, files }) =>
      `The ${what} of plugin "${plugin}" differ${what === 'package' ? 's' : ''} from mcp.lock.json: ${observed} instead of ${locked}` +
      (files.length > 0
        ? ` (${[...files.slice(0, 5), ...(files.length > 5 ? [`${files.length - 5} more`] : [])].join(', ')})`
        : ''),
    ({ plugin, folder, inDependencies }) => [
      ...(folder === undefined || inDependencies !== true ? [restore(folder)] : []),
      ...(folder === undefined || inDependencies === false
        ? []
        : [
            `${inDependencies ? 'Install' : 'Or install'} the packages it depends on as they are locked: npm ci --ignore-scripts`,
          ]),
      `Or inspect npx mcp-patchbay diff, and if the change is intended: npx mcp-patchbay approve ${plugin}`,
    ],
  ),
  PIN_DOCUMENT: entry<{ plugin: string; problem: string }>(
    ({ plugin, problem }) => `Plugin "${plugin}" does not have the OpenAPI description in mcp.lock.json: ${problem}`,
    ({ plugin }) => [
      'Restore the description from version control',
      `Or inspect npx mcp-patchbay diff, and if the change is intended: npx mcp-patchbay approve ${plugin}`,
    ],
  ),
  PIN_CAPABILITY: entry<{ plugin: string; change: 'broadened' | 'narrowed'; capability: string; value: string }>(
    ({ plugin, change, capability, value }) =>
      `Plugin "${plugin}" ${change === 'broadened' ? 'asks for' : 'no longer asks for'} ${capability} ${JSON.stringify(value)}, ` +
      (change === 'broadened' ? 'which mcp.lock.json does not grant' : 'which mcp.lock.json has'),
    ({ plugin }) => [`Inspect npx mcp-patchbay diff, and if the change is intended: npx mcp-patchbay approve ${plugin}`],
  ),
  PIN_NATIVE: entry<{ plugin: string; files: readonly string[] }>(
    ({ plugin, files }) =>
      `Plugin "${plugin}" brings compiled code, which its entry does not allow: ${files.slice(0, 5).join(', ')}`,
    () => [
      'Inspect where it comes from, and if it is intended: capabilities: { native: true } in its entry, then npx mcp-patchbay lock',
    ],
  ),
  PIN_TOOL_CHANGED: entry<{ plugin: string; tool: string; reason: string }>(
    ({ plugin, tool, reason }) => `Tool "${tool}" of plugin "${plugin}" is quarantined: ${reason}`,
    ({ plugin, tool }) => [
      `Inspect npx mcp-patchbay diff, and if the change is intended: npx mcp-patchbay approve ${plugin}.${tool}`,
    ],
  ),
  PIN_OTHERS_CHANGED: entry<{ plugin: string }>(
    ({ plugin }) => `The resources and prompts of plugin "${plugin}" are quarantined: they are not what mcp.lock.json pins`,
    ({ plugin }) => [`Inspect npx mcp-patchbay diff, and if the change is intended: npx mcp-patchbay approve ${plugin}`],
  ),
  PIN_UNKNOWN: entry<{ name: string; known: readonly string[] }>(
    ({ name, known }) => `Nothing to approve has the name ${JSON.stringify(name)}; known names: ${known.join(', ') || 'none'}`,
    () => ['Give the name of a plugin, or of a plugin and one of its tools: npx mcp-patchbay approve jira.issues_get'],
  ),
  PIN_NOT_SEEN: entry<{ name: string; seen: string; now: string }>(
    ({ name, seen, now }) =>
      `Plugin "${name}" was not approved: it changed after the difference was shown. What was seen is ${seen}, what is on disk is ${now}`,
    ({ name }) => [`Inspect npx mcp-patchbay diff again, and if the change is intended: npx mcp-patchbay approve ${name}`],
  ),
  PIN_INCOMPLETE: entry<{ file: string; config: string; failed: readonly { plugin: string; problem: string }[] }>(
    ({ file, failed }) =>
      `${file} was not written, because not every plugin could be inspected: ` +
      failed.map(({ plugin, problem }) => `"${plugin}": ${problem}`).join('; '),
    ({ config }) => [`Fix these plugins, or remove them from ${config}, and run the command again`],
  ),
  PIN_FILE: entry<{ file: string; problem: string }>(
    ({ file, problem }) => `${file} was not loaded: ${problem}`,
    ({ file }) => [
      isInstalled(file) ? 'Install what is locked: npm ci --ignore-scripts' : 'Restore the file from version control',
      'Or add the package to the dependencies in the package.json of the plugin, and run npx mcp-patchbay lock',
    ],
  ),
  PIN_SYMLINK: entry<{ folder: string; path: string; problem: string }>(
    ({ folder, path, problem }) =>
      `The symbolic link ${JSON.stringify(path)} in ${folder} ${problem}, so the plugin cannot be pinned`,
    () => ['Put the file itself into the plugin, or remove the link'],
  ),
  PIN_SPECIAL_FILE: entry<{ folder: string; path: string }>(
    ({ folder, path }) => `${JSON.stringify(path)} in ${folder} is a socket, pipe or device, so the plugin cannot be pinned`,
    () => ['Keep only files and folders in a plugin; put what it makes at run time elsewhere'],
  ),
  PIN_UNREADABLE: entry<{ folder: string; path: string; problem: string }>(
    ({ folder, path, problem }) => `${JSON.stringify(path)} in ${folder} cannot be pinned: ${problem}`,
    ({ folder }) => [
      'Make every file of the plugin readable by the user of the host',
      isInstalled(folder) ? 'Or install it again: npm ci --ignore-scripts' : 'Or restore it from version control',
    ],
  ),
  PIN_NOT_JSON: entry<{ path: string; found: string }>(
    ({ path, found }) => `${path} is ${found}, which JSON cannot represent`,
    () => ['Fix the description or schema at that path'],
  ),
  CAPABILITY_INVALID: entry<{ plugin: string; faults: readonly string[] }>(
    ({ plugin, faults }) => `The capabilities of plugin "${plugin}" cannot be granted: ${faults.join('; ')}`,
    () => ['Name each origin, variable and folder the plugin needs, without patterns, links or variables'],
  ),
  CAPABILITY_NOT_GRANTED: entry<{ plugin: string; missing: readonly string[]; line: string }>(
    ({ plugin, missing }) => `Plugin "${plugin}" needs what its entry does not grant: ${missing.join(', ')}`,
    ({ plugin, line }) => [`If it may have that, add to the entry of "${plugin}" in the config file: ${line}`],
  ),
} satisfies Record<string, Entry<never>>
