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
  return [error.message, ...(steps.length ? ['To fix:', ...steps] : []), `See docs/errors.md#${error.code.toLowerCase()}`].join('\n')
}

interface Entry<Data> {
  readonly message: (data: Data) => string
  readonly fix: (data: Data) => readonly string[]
}

function entry<Data>(message: (data: Data) => string, fix: (data: Data) => readonly string[] = () => []): Entry<Data> {
  return { message, fix }
}

const catalogue = {
  // --- configuration (exit code 78) ---
  CONFIG_MISSING: entry<{ plugin: string; variable: string }>(
    ({ plugin, variable }) => `Plugin "${plugin}" needs ${variable}, which is not set`,
    ({ variable }) => [`Set ${variable} in the environment or in .env`, `Or point ${variable}_FILE at a file that holds it`],
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
    ({ use, wanted }) => [`Install the pinned version: npm install --save-exact --ignore-scripts ${use}@${wanted}`, 'Or change the pin in mcp.config.ts'],
  ),
  PLUGIN_IMPORT: entry<{ plugin: string; problem: string; at?: string | undefined }>(
    ({ plugin, problem, at }) => `Plugin "${plugin}" could not be imported: ${problem}${at ? ` (${at})` : ''}`,
    () => ['Correct the file; with --watch the next save is tried at once'],
  ),
  PLUGIN_TIMEOUT: entry<{ plugin: string; step: string; ms: number }>(
    ({ plugin, step, ms }) => `Plugin "${plugin}" did not finish to ${step} within ${ms} ms`,
    () => ['Look for a top-level await, or a start(), that waits for something that never comes', 'Raise limits.loadTimeoutMs if it needs longer'],
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
  PLUGIN_START: entry<{ plugin: string; step: string; problem: string }>(
    ({ plugin, step, problem }) => `Plugin "${plugin}" failed in ${step}: ${problem}`,
    () => ['Correct the plugin; the whole error is in the log'],
  ),
  PLUGIN_RELOADED: entry<{ plugin: string; drainMs: number }>(
    ({ plugin, drainMs }) => `The call was cancelled: plugin "${plugin}" was reloaded and the call did not finish on the old version within ${drainMs} ms`,
    () => ['Call again; the new version answers', 'Raise limits.drainMs if calls may take longer'],
  ),
  // --- what a client asks for ---
  TOOL_UNKNOWN: entry<{ name: string }>(({ name }) => `Unknown tool: ${name}`),
  RESOURCE_UNKNOWN: entry<{ uri: string }>(({ uri }) => `Resource not found: ${uri}`),
  PROMPT_UNKNOWN: entry<{ name: string }>(({ name }) => `Unknown prompt: ${name}`),
  PROMPT_ARGUMENTS: entry<{ name: string; problems: readonly string[] }>(
    ({ name, problems }) => `The arguments of prompt ${name} do not fit: ${problems.join('; ')}`,
  ),
  CALL_TIMEOUT: entry<{ tool: string; ms: number }>(
    ({ tool, ms }) => `${tool} did not answer within ${ms} ms`,
    () => ['Ask for less at once', 'Raise timeoutMs of the tool or limits.callTimeoutMs'],
  ),
  CALL_CANCELLED: entry<{ tool: string }>(({ tool }) => `${tool} was cancelled by the client`),
  // --- the host itself ---
  INTERNAL: entry<{ requestId: string }>(
    ({ requestId }) => `Something failed inside the host (request ${requestId})`,
    ({ requestId }) => [`Look for "${requestId}" in the host's log; the whole error is there`],
  ),
} satisfies Record<string, Entry<never>>
