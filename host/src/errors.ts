/**
 * Every error the host throws: one class, many codes. Decide by `error.code`.
 * A code is the anchor of its section in docs/errors.md and is never reused.
 */
export type ErrorCode = keyof typeof catalogue

/** What `code` needs to say its message: the argument of {@link hostError}. */
export type ErrorData<Code extends ErrorCode> = Parameters<(typeof catalogue)[Code]['message']>[0]

const brand: unique symbol = Symbol.for('mcp-patchbay.HostError') as never

/** An error of the host with what happened, why, and what to do next. Recognised across copies of this module; never subclass it. */
export class HostError extends Error {
  readonly code: ErrorCode
  /** What to do next, one step an element, most likely first. */
  readonly fix: readonly string[]

  constructor(code: ErrorCode, message: string, fix: readonly string[], cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause })
    this.name = 'HostError'
    this.code = code
    this.fix = fix
    Object.defineProperty(this, brand, { value: true })
  }

  static override [Symbol.hasInstance](value: unknown): boolean {
    return typeof value === 'object' && value !== null && brand in value
  }
}

/** Makes the error `code` from the facts its message needs. `cause` keeps the original and never reaches a client. */
export function hostError<Code extends ErrorCode>(code: Code, data: ErrorData<Code>, cause?: unknown): HostError {
  const { message, fix } = catalogue[code] as Entry<ErrorData<Code>>
  return new HostError(code, message(data), fix(data), cause)
}

/** The whole text for a person: what failed, the cause, the steps. */
export function describeError(error: unknown): string {
  if (!(error instanceof HostError)) return error instanceof Error ? error.message : String(error)
  const steps = error.fix.map((step, index) => `  ${index + 1}. ${step}`)
  return [error.message, ...(steps.length ? ['To fix:', ...steps] : []), `See docs/errors.md#${error.code.toLowerCase()}`].join(
    '\n',
  )
}

interface Entry<Data> {
  readonly message: (data: Data) => string
  readonly fix: (data: Data) => readonly string[]
}

function entry<Data>(message: (data: Data) => string, fix: (data: Data) => readonly string[] = () => []): Entry<Data> {
  return { message, fix }
}

/** Of what a process printed, enough to see what was wrong. */
function lastLines(output: string): string {
  return output.trim().split('\n').slice(-5).join(' | ').slice(-500)
}

/** The release of keyv's Redis adapter that works with the keyv of this host; its `latest` is for an older one. */
const REDIS_PACKAGE = '@keyv/redis@6.0.0-rc.1'

const catalogue = {
  // --- configuration (exit code 78) ---
  CONFIG_MISSING: entry<{ plugin: string; variable: string }>(
    ({ plugin, variable }) => `Plugin "${plugin}" needs ${variable}, which is not set`,
    ({ variable }) => [`Set ${variable} in the environment or in .env`, `Or point ${variable}_FILE at a file that holds it`],
  ),
  CONFIG_NOT_FOUND: entry<{ looked: readonly string[]; names: readonly string[] }>(
    ({ looked, names }) => `There is no config: looked for ${names.join(', ')} in ${looked.join(', ')}`,
    () => ['Name the file: --config FILE', 'Or make a new project: npx patchbay init'],
  ),
  CONFIG_FAILED: entry<{ file: string; problem: string; frame?: string | undefined; fix?: readonly string[] | undefined }>(
    ({ file, problem, frame }) => `${file} gives no config: ${problem}${frame ? `\n\n${frame}\n` : ''}`,
    ({ fix }) => fix ?? ['Correct the file; a running host keeps the config it has until then'],
  ),
  CONFIG_INVALID: entry<{ file: string; faults: readonly string[] }>(
    ({ file, faults }) =>
      `${file} has ${faults.length === 1 ? 'a fault' : `${faults.length} faults`}:\n${faults.map((fault) => `  ${fault}`).join('\n')}`,
    () => ['Correct the file; every key is described in docs/setup.md, and an editor that knows TypeScript completes them'],
  ),
  CONFIG_DEPLOYMENT: entry<{ deployment: string; problem: string }>(
    ({ deployment, problem }) => `The deployment "${deployment}" ${problem}`,
    () => ['Correct --deployment or MCP_DEPLOYMENT', 'Or correct deployments in mcp.config.ts'],
  ),
  CONFIG_ENV_FILE: entry<{ file: string; problem: string }>(
    ({ file, problem }) => `The environment file ${file} cannot be read: ${problem}`,
    ({ file }) => [`Make ${file} a text file of lines NAME=value that the host's user may read`, 'Or leave --env-file out'],
  ),
  CONFIG_CA_FILE: entry<{ file: string; setting: string; problem: string }>(
    ({ file, problem }) => `The certificates in ${file} cannot be read: ${problem}`,
    ({ setting }) => [`Correct http.${setting} of the entry in mcp.config.ts: a PEM file, relative to the config`],
  ),
  CONFIG_COLLISION: entry<{ collisions: readonly { variable: string; readers: readonly string[] }[] }>(
    ({ collisions }) =>
      collisions.map(({ variable, readers }) => `${variable} would be read for ${readers.join(' and for ')}`).join('; '),
    () => ['Give one of the plugins another name with as: its variables are named after it'],
  ),
  // --- loading a plugin ---
  PLUGIN_SPECIFIER: entry<{ plugin: string; use: string; why: string }>(
    ({ plugin, use, why }) => `Plugin "${plugin}" cannot be loaded from ${JSON.stringify(use)}: ${why}`,
    () => [
      'Give a path that begins with ./ and stays in the folder of mcp.config.ts, or the name of an installed npm package',
      'To develop a plugin elsewhere, link it: npm link, or a symlink in a folder of pluginDirs',
    ],
  ),
  PLUGIN_NOT_FOUND: entry<{ plugin: string; use: string; where: string }>(
    ({ plugin, use, where }) => `Plugin "${plugin}" (${use}) is not there: looked in ${where}`,
    ({ use }) => [use.startsWith('.') ? 'Correct the path in mcp.config.ts' : `Install it: npx patchbay add ${use}`],
  ),
  PLUGIN_VERSION: entry<{ plugin: string; use: string; wanted: string; found: string }>(
    ({ plugin, use, wanted, found }) => `Plugin "${plugin}" is pinned to ${use}@${wanted}, but ${found} is installed`,
    ({ use, wanted }) => [
      `Install the pinned version: npm install --save-exact --ignore-scripts ${use}@${wanted}`,
      'Or change the pin in mcp.config.ts',
    ],
  ),
  PLUGIN_INTEGRITY: entry<{ plugin: string; use: string; wanted: string; found: string }>(
    ({ plugin, use, wanted, found }) => `Plugin "${plugin}" (${use}) must have the integrity ${wanted}; installed is ${found}`,
    () => ['Install what is pinned: npm ci --ignore-scripts', 'Or change integrity of the entry in mcp.config.ts'],
  ),
  PLUGIN_IMPORT: entry<{ plugin: string; problem: string; fix?: readonly string[] | undefined }>(
    ({ plugin, problem }) => `Plugin "${plugin}" could not be imported: ${problem}`,
    ({ fix }) => (fix?.length ? fix : ['Correct the file; with --watch the next save is tried at once']),
  ),
  PLUGIN_TIMEOUT: entry<{ plugin: string; step: string; ms: number }>(
    ({ plugin, step, ms }) => `Plugin "${plugin}" did not finish to ${step} within ${ms} ms`,
    () => [
      'Look for a top-level await, or a start(), that waits for something that never comes',
      'Raise limits.loadTimeoutMs if it needs longer',
    ],
  ),
  PLUGIN_CONTRACT: entry<{ plugin: string; faults: readonly { path: string; problem: string; fix: string }[] }>(
    ({ plugin, faults }) =>
      `Plugin "${plugin}" is not a ServicePlugin: ${faults.map(({ path, problem }) => `${path} ${problem}`).join('; ')}`,
    ({ faults }) => faults.map(({ path, fix }) => `${path}: ${fix}`),
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
      `Set it in tenants.${tenant}.plugins.${plugin}.config in mcp.config.ts, or in variables that begin with ${prefix}`,
      `Credentials of the entry "${plugin}" itself are not taken for a tenant with a config of its own`,
    ],
  ),
  PLUGIN_START: entry<{ plugin: string; step: string; problem: string }>(
    ({ plugin, step, problem }) => `Plugin "${plugin}" failed in ${step}: ${problem}`,
    () => ['Correct the plugin; the whole error is in the log'],
  ),
  PLUGIN_RELOADED: entry<{ plugin: string; drainMs: number }>(
    ({ plugin, drainMs }) =>
      `The call was cancelled: plugin "${plugin}" was reloaded and the call did not finish on the old version within ${drainMs} ms`,
    () => ['Call again; the new version answers', 'Raise limits.drainMs if calls may take longer'],
  ),
  // --- the way to a service ---
  PLUGIN_PROCESS: entry<{ plugin: string; problem: string; output: string }>(
    ({ plugin, problem, output }) =>
      `The process of plugin "${plugin}" is of no use: ${problem}${output.trim() === '' ? '' : `; it printed last: ${lastLines(output)}`}`,
    () => [
      'Look for plugin_output in the log, at level debug: it has what the plugin printed',
      'A plugin in its own process may read its own folder and nothing else; grant what it needs in its capabilities in mcp.config.ts',
      'Raise limits.pluginHeapMb or limits.pluginMemoryMb if it needs more memory',
    ],
  ),
  PLUGIN_RESTARTED: entry<{ plugin: string; why: string; mayHaveRun: boolean }>(
    ({ plugin, why, mayHaveRun }) =>
      `Plugin "${plugin}" was restarted in the middle of this call: ${why}. ${mayHaveRun ? 'What the call was to change may have been changed or not' : 'It only reads, so it can be called again'}`,
    ({ mayHaveRun }) =>
      mayHaveRun
        ? ['Look whether the change was made, and call again if it was not']
        : ['Call again: the plugin is started anew'],
  ),
  PLUGIN_CRASHED: entry<{ plugin: string; why: string }>(
    ({ plugin, why }) => `Plugin "${plugin}" died five times within a minute and stays down; the last time ${why}`,
    () => [
      'Look for plugin_exited in the log: it has what the plugin printed last',
      'Mend the plugin, or restart the host; a change of its files or its entry starts it again',
    ],
  ),
  SERVICE_URL_INVALID: entry<{ plugin: string; setting: string; problem: string }>(
    ({ plugin, setting, problem }) => `Plugin "${plugin}" has no usable address: ${setting} ${problem}`,
    ({ setting }) => [
      `Set ${setting} to an address like https://api.example.com, without user name, query or fragment`,
      'Put a user name and password into the variables of their own',
    ],
  ),
  SERVICE_HEADER_INVALID: entry<{ plugin: string; header: string; problem: string }>(
    ({ plugin, header, problem }) =>
      `Plugin "${plugin}" cannot have the header ${JSON.stringify(header)} on its requests: it ${problem}`,
    () => ['Remove it from headers of the plugin, or from credentials where the plugin says how a credential is sent'],
  ),
  CREDENTIAL_INVALID: entry<{ plugin: string; setting: string; problem: string }>(
    ({ plugin, setting, problem }) => `The credential of plugin "${plugin}" cannot be used: ${setting} ${problem}`,
    ({ setting }) => [`Copy the value of ${setting} again, without line breaks or quotes around it`],
  ),
  CREDENTIAL_REQUIRED: entry<{ plugin: string; header: string; why: 'deny' | 'readOnly' | 'none' | 'notAccepted' }>(
    ({ plugin, why }) =>
      `${plugin} needs a credential of yours for this call: ` +
      {
        deny: "the server's own is not for callers",
        readOnly: "the server's own is for reading only",
        none: 'the server has none',
        notAccepted: 'the one that was sent is not accepted here',
      }[why],
    ({ plugin, header, why }) => [
      why === 'notAccepted'
        ? `Leave ${header} out, or the operator sets allowRequestCredentials on the entry "${plugin}" in mcp.config.ts`
        : `Link your account or send ${header} with a credential of yours`,
      why === 'none'
        ? `Or the operator sets a credential of "${plugin}" in the environment`
        : `Or the operator sets serverCredentials: 'allow' on the entry "${plugin}" in mcp.config.ts`,
    ],
  ),
  CREDENTIAL_REFUSED: entry<{ plugin: string; remedy: string }>(
    ({ plugin }) => `${plugin} did not accept the credential`,
    ({ remedy }) => [remedy],
  ),
  ACCOUNT_KEY: entry<{ variable: string; isSet: boolean }>(
    ({ variable, isSet }) => `Stored tokens need ${variable}, which ${isSet ? 'is not 32 bytes in Base64' : 'is not set'}`,
    ({ variable }) => [
      `Make a key once, and keep it: ${variable}=$(openssl rand -base64 32)`,
      'Or take auth.accounts out of mcp.config.ts',
    ],
  ),
  ACCOUNT_UNREADABLE: entry<{ plugin: string }>(
    ({ plugin }) => `The token that is stored for your account at "${plugin}" cannot be used`,
    () => ['Link your account again', 'As the operator: check that the key of auth.accounts is the one it was stored with'],
  ),
  // --- pins and the lock file ---
  LOCK_INVALID: entry<{ path: string; line: number; column: number; problem: string }>(
    ({ path, line, column, problem }) => `${path}:${line}:${column}: ${problem}`,
    () => [
      'Restore the file from version control',
      'Or remove it, run patchbay lock, and review what it pins before you commit it',
    ],
  ),
  LOCK_TOO_NEW: entry<{ path: string; found: number; understood: number }>(
    ({ path, found, understood }) => `${path} has lockfileVersion ${found}; this Patchbay understands ${understood}`,
    () => [
      'Update Patchbay: npm install --save-exact mcp-patchbay@latest',
      'Or remove the file and write it again with this version: patchbay lock',
    ],
  ),
  LOCK_TOO_LARGE: entry<{ path: string; bytes: number; limit: number }>(
    ({ path, bytes, limit }) => `${path} has ${bytes} bytes, more than the ${limit} a lock may have; it was not read`,
    () => ['Restore the file from version control'],
  ),
  LOCK_UNREADABLE: entry<{ path: string; problem: string }>(
    ({ path, problem }) => `${path} cannot be read: ${problem}`,
    ({ path }) => [`Make ${path} a UTF-8 text file that the host's user may read`],
  ),
  LOCK_WRITE_FAILED: entry<{ path: string; problem: string }>(
    ({ path, problem }) => `${path} could not be written: ${problem}`,
    ({ path }) => [
      `Make room, and let this user write to the folder of ${path}; the file is whole, with its old content or the new`,
    ],
  ),
  PIN_NOT_LOCKED: entry<{ plugin: string }>(
    ({ plugin }) => `Plugin "${plugin}" is not in mcp.lock.json`,
    () => ['Run patchbay lock, review what it pins, and commit mcp.lock.json'],
  ),
  PIN_VERSION: entry<{ plugin: string; what: 'source' | 'version'; locked: string; observed: string }>(
    ({ plugin, what, locked, observed }) =>
      `Plugin "${plugin}" is not the one in mcp.lock.json: its ${what} is ${observed}, the lock says ${locked}`,
    ({ plugin }) => [
      'Install what is locked: npm ci --ignore-scripts',
      `Or look at patchbay diff, and if it is meant: patchbay approve ${plugin}`,
    ],
  ),
  PIN_INTEGRITY: entry<{ plugin: string; what: 'package' | 'files'; locked: string; observed: string; files: readonly string[] }>(
    ({ plugin, what, locked, observed, files }) =>
      `The ${what} of plugin "${plugin}" differ${what === 'package' ? 's' : ''} from mcp.lock.json: ${observed} instead of ${locked}` +
      (files.length > 0
        ? ` (${[...files.slice(0, 5), ...(files.length > 5 ? [`${files.length - 5} more`] : [])].join(', ')})`
        : ''),
    ({ plugin }) => [
      'Install what is locked: npm ci --ignore-scripts',
      `Or look at patchbay diff, and if it is meant: patchbay approve ${plugin}`,
    ],
  ),
  PIN_CAPABILITY: entry<{ plugin: string; change: 'broadened' | 'narrowed'; capability: string; value: string }>(
    ({ plugin, change, capability, value }) =>
      `Plugin "${plugin}" ${change === 'broadened' ? 'asks for' : 'no longer asks for'} ${capability} ${JSON.stringify(value)}, ` +
      (change === 'broadened' ? 'which mcp.lock.json does not grant' : 'which mcp.lock.json has'),
    ({ plugin }) => [`Look at patchbay diff, and if it is meant: patchbay approve ${plugin}`],
  ),
  PIN_NATIVE: entry<{ plugin: string; files: readonly string[] }>(
    ({ plugin, files }) =>
      `Plugin "${plugin}" brings compiled code, which its entry does not allow: ${files.slice(0, 5).join(', ')}`,
    () => ['Look at where it comes from, and if it is meant: capabilities: { native: true } in its entry, then patchbay lock'],
  ),
  PIN_TOOL_CHANGED: entry<{ plugin: string; tool: string; reason: string }>(
    ({ plugin, tool, reason }) => `Tool "${tool}" of plugin "${plugin}" is quarantined: ${reason}`,
    ({ plugin, tool }) => [`Look at patchbay diff, and if it is meant: patchbay approve ${plugin}.${tool}`],
  ),
  PIN_OTHERS_CHANGED: entry<{ plugin: string }>(
    ({ plugin }) => `The resources and prompts of plugin "${plugin}" are quarantined: they are not what mcp.lock.json pins`,
    ({ plugin }) => [`Look at patchbay diff, and if it is meant: patchbay approve ${plugin}`],
  ),
  PIN_UNKNOWN: entry<{ name: string; known: readonly string[] }>(
    ({ name, known }) =>
      `There is nothing to approve under the name ${JSON.stringify(name)}: known are ${known.join(', ') || 'none'}`,
    () => ['Give the name of a plugin, or a plugin and the own name of one of its tools: patchbay approve jira.issues_get'],
  ),
  PIN_INCOMPLETE: entry<{ file: string; failed: readonly { plugin: string; problem: string }[] }>(
    ({ file, failed }) =>
      `${file} was not written, because not every plugin could be looked at: ` +
      failed.map(({ plugin, problem }) => `"${plugin}": ${problem}`).join('; '),
    () => ['Mend these plugins, or take them out of mcp.config.ts, and run the command again'],
  ),
  PIN_FILE: entry<{ file: string; problem: string }>(
    ({ file, problem }) => `${file} was not loaded: ${problem}`,
    () => [
      'Install what is locked: npm ci --ignore-scripts',
      'A package that the plugin imports has to be in its dependencies in package.json; then run patchbay lock',
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
    () => ["Let the host's user read every file of the plugin", 'Or install it again: npm ci --ignore-scripts'],
  ),
  PIN_NOT_JSON: entry<{ path: string; found: string }>(
    ({ path, found }) => `${path} holds ${found}, which JSON cannot hold`,
    () => ['Correct the description or schema that the path names'],
  ),
  CAPABILITY_INVALID: entry<{ plugin: string; faults: readonly string[] }>(
    ({ plugin, faults }) => `The capabilities of plugin "${plugin}" cannot be granted: ${faults.join('; ')}`,
    () => ['Name each origin, variable and folder the plugin needs, without patterns, links or variables'],
  ),
  // --- changing a project ---
  CAPABILITY_NOT_GRANTED: entry<{ plugin: string; missing: readonly string[]; line: string }>(
    ({ plugin, missing }) => `Plugin "${plugin}" needs what its entry does not grant: ${missing.join(', ')}`,
    ({ plugin, line }) => [`If it may have that, add to the entry of "${plugin}" in mcp.config.ts: ${line}`],
  ),
  INSTALL_SPEC: entry<{ spec: string; why: string }>(
    ({ spec, why }) => `${JSON.stringify(spec)} cannot be installed: ${why}`,
    () => ['Give a package of the registry, such as @acme/mcp-jira or @acme/mcp-jira@2.3.1, or the path of a folder or tarball'],
  ),
  INSTALL_NPM: entry<{ command: string; problem: string }>(
    ({ command, problem }) => `${command} failed: ${problem}`,
    () => ['Read what npm says, mend it and run the command again; config, lock and node_modules are as before'],
  ),
  INSTALL_YOUNG: entry<{ name: string; version: string; hours: number }>(
    ({ name, version, hours }) =>
      `${name}@${version} was released ${hours} hours ago; most poisoned releases are found within three days`,
    ({ name }) => [`Name an older release: ${name}@VERSION`, 'Or, if you know that you need this one today, add --now'],
  ),
  INSTALL_NATIVE: entry<{ name: string; found: readonly string[] }>(
    ({ name, found }) => `${name} brings code that runs outside of JavaScript: ${found.join(', ')}`,
    () => ['If you trust it with the whole machine, add --allow-native; install scripts are not run even then'],
  ),
  INSTALL_UNCONFIRMED: entry<object>(
    () => 'Nobody can be asked, because this is no terminal; nothing was changed',
    () => ['Run the command in a terminal, or add --yes once you have read what it shows'],
  ),
  INSTALL_TAKEN: entry<{ name: string; use: string }>(
    ({ name, use }) => `The name "${name}" is that of ${use} in the config already`,
    () => ['Give the plugin another name: --as NAME'],
  ),
  INSTALL_UNKNOWN: entry<{ name: string; known: readonly string[] }>(
    ({ name, known }) => `plugins in the config has no "${name}": known are ${known.join(', ') || 'none'}`,
    () => ['Correct the name', 'A plugin of a folder in pluginDirs goes when you remove its folder'],
  ),
  INSTALL_CONFIG: entry<{ file: string; line: string }>(
    ({ file, line }) => `${file} is a program whose plugins cannot be edited safely. ${line}`,
    () => ['Edit the file by hand, install the package with npm install --save-exact --ignore-scripts, and run patchbay lock'],
  ),
  INSTALL_BUSY: entry<{ folder: string; pid: number }>(
    ({ folder, pid }) => `Another command changes this project${pid === 0 ? '' : ` (process ${pid})`}: see ${folder}`,
    () => ['Wait for it to end, and run the command again'],
  ),
  CALLER_FILE: entry<{ file: string; problem: string }>(
    ({ file, problem }) => `${file} does not say who calls: ${problem}`,
    () => ['Write JSON such as { "tenant": "acme", "permissions": ["issues:read"], "toolsets": ["triage"], "readOnly": true }'],
  ),
  // --- modules ---
  MODULE_SYNTAX: entry<{ at: string; reason: string }>(
    ({ at, reason }) => `${at} does not parse: ${reason}`,
    () => ['Correct that line and save; until then the version before keeps serving'],
  ),
  MODULE_EXPORT_MISSING: entry<{ at: string; reason: string }>(
    ({ at, reason }) => `${at} imports what is not there: ${reason}`,
    () => ['Correct the name, or export it there', 'If it is a TypeScript type, import it with `import type`'],
  ),
  MODULE_TYPESCRIPT_SYNTAX: entry<{ at: string; reason: string }>(
    ({ at, reason }) => `${at} uses TypeScript that needs a compiler: ${reason}`,
    () => [
      'Write what it stands for: a const object for an enum, a module for a namespace, a field for a parameter property, a call for a decorator',
      'Set "erasableSyntaxOnly": true in tsconfig.json, and the editor marks all such places',
      'Or compile the plugin and load its JavaScript',
    ],
  ),
  MODULE_TYPESCRIPT_IN_PACKAGE: entry<{ file: string }>(
    ({ file }) => `${file} is TypeScript inside node_modules; an installed package must ship JavaScript`,
    () => [
      'Use a release of the package that ships JavaScript, or compile it before publishing',
      'While developing it, link its folder (npm link, or a path in mcp.config.ts): outside node_modules TypeScript runs as it stands',
    ],
  ),
  MODULE_LOAD_TIMEOUT: entry<{ entry: string; timeoutMs: number }>(
    ({ entry: file, timeoutMs }) => `${file} was not imported within ${timeoutMs} ms`,
    () => [
      'Look for a top-level await that waits for something that never comes',
      'Raise limits.loadTimeoutMs if it needs longer',
    ],
  ),
  MODULE_RESTART_REQUIRED: entry<{ file: string; changed: string }>(
    ({ file, changed }) => `${file} changed in ${changed}, which Node reads only once: a restart is required to load from it`,
    () => ['Restart the host', 'Or run the plugin with isolation: "process"; its process is new at every reload'],
  ),
  MODULE_RELEASED: entry<{ module: string }>(
    ({ module }) => `${module} belongs to a version that was released; it can import nothing more`,
    () => ['Stop timers and listeners when the plugin is disposed: something of the old version was still running'],
  ),
  // --- what a client asks for ---
  TOOL_UNKNOWN: entry<{ name: string }>(({ name }) => `Unknown tool: ${name}`),
  RESOURCE_UNKNOWN: entry<{ uri: string }>(({ uri }) => `Resource not found: ${uri}`),
  PROMPT_UNKNOWN: entry<{ name: string }>(({ name }) => `Unknown prompt: ${name}`),
  PROMPT_ARGUMENTS: entry<{ name: string; problems: readonly string[] }>(
    ({ name, problems }) => `The arguments of prompt ${name} do not fit: ${problems.join('; ')}`,
  ),
  RATE_LIMITED: entry<{ perMinute: number; of: 'principal' | 'tenant'; seconds: number }>(
    ({ perMinute, of, seconds }) =>
      `Too many calls: ${perMinute} a minute are allowed to ${of === 'tenant' ? 'all callers of a tenant together' : 'one caller'}; ` +
      `the next is possible in ${seconds} s`,
    ({ seconds }) => [`Wait ${seconds} s, then call again`],
  ),
  CALL_TIMEOUT: entry<{ tool: string; ms: number }>(
    ({ tool, ms }) => `${tool} did not answer within ${ms} ms`,
    () => ['Ask for less at once', 'Raise timeoutMs of the tool or limits.callTimeoutMs'],
  ),
  CALL_FAILED: entry<{ name: string; problem: string }>(({ problem }) => problem),
  CALL_CANCELLED: entry<{ tool: string }>(({ tool }) => `${tool} was cancelled by the client`),
  SUBSCRIPTION_LIMIT: entry<{ max: number }>(
    ({ max }) => `This connection follows ${max} resources already, which is the most it may`,
    () => ['Unsubscribe from some first'],
  ),
  // --- the cache: all but the first two cost misses and show in the log only ---
  CACHE_KEY: entry<{ problem: string }>(
    ({ problem }) => `A key of the cache ${problem}`,
    () => ['Use a short text of what the value depends on'],
  ),
  CACHE_VALUE: entry<{ problem: string }>(
    ({ problem }) => `A value for the cache ${problem}`,
    () => ['Cache plain data: objects, arrays, strings, numbers, booleans and null', 'Give ttlMs as a number of milliseconds'],
  ),
  CACHE_TIMEOUT: entry<{ store: string; ms: number }>(
    ({ store, ms }) => `The cache ${store} did not answer within ${ms} ms`,
    () => ['Look at the load of the store and the network to it; calls go on without it meanwhile'],
  ),
  CACHE_DOWN: entry<{ store: string }>(
    ({ store }) => `The cache ${store} failed and is left alone for a moment`,
    () => ['Look for cache_store_failed in the log: it has the cause'],
  ),
  CACHE_REDIS: entry<{ store: string; problem: string }>(
    ({ store, problem }) => `The cache ${store} cannot be reached: ${problem}`,
    () => ['Start Redis, or correct cache.store in mcp.config.ts; the host reconnects by itself'],
  ),
  CACHE_REDIS_MISSING: entry<{ store: string }>(
    ({ store }) => `The cache ${store} needs the package @keyv/redis, which is not installed`,
    () => [
      `Install it: npm install --save-exact ${REDIS_PACKAGE}`,
      'Or choose another cache.store: memory, or sqlite: and a file',
    ],
  ),
  CACHE_FILE_FOREIGN: entry<{ file: string }>(
    ({ file }) => `${file} is an SQLite database of something else and is left as it is`,
    () => ['Name another file in cache.store'],
  ),
  CACHE_FILE: entry<{ file: string; problem: string }>(
    ({ file, problem }) => `The cache file ${file} cannot be used: ${problem}`,
    () => ["Make its folder writable for the host's user and leave room on the disk", 'Or name another file in cache.store'],
  ),
  // --- who calls ---
  AUTH_KEYS_FILE: entry<{ file: string; problem: string }>(
    ({ file, problem }) => `The API keys of ${file} cannot be used: ${problem}`,
    ({ file }) => [
      `Let the host's user read ${file}, and write it where patchbay keys runs`,
      'Or name another file in auth.inbound.keysFile, and make keys with patchbay keys create',
    ],
  ),
  AUTH_KEYS_BUSY: entry<{ file: string; lock: string }>(
    ({ file }) => `Another command is changing ${file}`,
    ({ lock }) => [`Run the command again; if no other one is running, it was interrupted: remove ${lock}`],
  ),
  AUTH_KEY_TAKEN: entry<{ id: string }>(
    ({ id }) => `There is an API key "${id}" already, or there was one`,
    () => ['Give another name with --id: what the log says of a key must not be two keys'],
  ),
  AUTH_KEY_UNKNOWN: entry<{ id: string; file: string }>(
    ({ id, file }) => `${file} has no API key "${id}" that could be revoked`,
    () => ['See what there is: patchbay keys list', 'A key of auth.inbound.keys is revoked by removing it from the config'],
  ),
  AUTH_ISSUER: entry<{ issuer: string; problem: string }>(
    ({ issuer, problem }) => `The authorization server ${issuer} cannot be used: ${problem}`,
    () => [
      'Write issuer in auth.inbound.oauth.issuers exactly as its metadata does, slash at its end included',
      'Or, where it has no metadata, give its keys: jwksUri',
    ],
  ),
  AUTH_SECRET: entry<{ variable: string; problem: string }>(
    ({ variable, problem }) => `The client secret for introspection is nowhere: ${variable} ${problem}`,
    ({ variable }) => [
      `Set ${variable.replace(/_FILE$/, '')} in the environment or in .env, or point the same with _FILE at a file`,
    ],
  ),
  // --- listening ---
  LISTEN_UNAUTHENTICATED: entry<{ host: string }>(
    ({ host }) => `Will not listen on ${host} without authentication: whoever reaches it could call every tool`,
    () => [
      'Listen on 127.0.0.1 (listen.http.host, or --host), behind a proxy that authenticates',
      'Or turn authentication on: auth.inbound.mode "apiKey", "oauth" or "any"',
      'Or, where everybody who can connect may do everything: --dangerously-allow-unauthenticated',
    ],
  ),
  LISTEN_FAILED: entry<{ what: string; address: string; problem: string }>(
    ({ what, address, problem }) => `The ${what} listener cannot use ${address}: ${problem}`,
    ({ what }) => [`Stop what uses the address, or choose another: listen.${what}.host and listen.${what}.port`],
  ),
  MIDDLEWARE_INVALID: entry<{ place: string; use: string; problem: string }>(
    ({ place, use, problem }) => `${place} (${JSON.stringify(use)}) cannot be used: ${problem}`,
    () => [
      'Give a path beginning with ./ inside the folder of the config, or the name of an installed package',
      'Its default export is { name, http?, tool?, resource?, prompt? }; docs/advanced.md has one',
    ],
  ),
  // --- the host itself ---
  HOST_CLOSING: entry<object>(
    () => 'The host is shutting down and the call did not finish in time',
    () => ['Call again in a moment; another process takes over'],
  ),
  HOST_CLOSED: entry<object>(
    () => 'The host is closed',
    () => ['Make a new one with createHost'],
  ),
  FAULTS_INVALID: entry<{ step: string }>(
    ({ step }) => `PATCHBAY_FAULTS holds ${JSON.stringify(step)}, which is no fault point with its action`,
    () => ['Unset PATCHBAY_FAULTS: it is for tests only', 'Or write it like lock.rename:kill or lock.rename:throw'],
  ),
  INTERNAL: entry<{ requestId: string }>(
    ({ requestId }) => `Something failed inside the host (request ${requestId})`,
    ({ requestId }) => [`Look for "${requestId}" in the host's log; the whole error is there`],
  ),
} satisfies Record<string, Entry<never>>

/** Every code there is, for the check of docs/errors.md. */
export const ERROR_CODES = Object.keys(catalogue) as readonly ErrorCode[]
