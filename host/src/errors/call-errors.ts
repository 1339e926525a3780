import { entry, type Entry } from './error-definition.ts'

/** What a client asks for. */
export const callErrors = {
  TOOL_UNKNOWN: entry<{ name: string }>(({ name }) => `Unknown tool: ${shown(name)}`),
  TOOL_NOT_CALLABLE: entry<{ name: string; rule: string; because: string; fix: readonly string[]; meant?: string | undefined }>(
    ({ name, rule, because, meant }) =>
      rule === 'unknown'
        ? `Unknown tool: ${name}${meant === undefined ? '' : `; did you mean ${meant}?`}`
        : `${name} cannot be called: ${rule}: ${because}`,
    ({ name, rule, fix }) => [
      ...fix,
      rule === 'unknown'
        ? 'List every tool and why it is hidden: npx mcp-patchbay list --tools'
        : `See every rule: npx mcp-patchbay explain ${name}`,
    ],
  ),
  CALL_QUESTION: entry<{ tool: string; problem: string }>(
    ({ tool, problem }) => `${tool} asks a question that cannot be answered here: ${problem}`,
    () => ['Run the command in a terminal', 'Or call the tool from an MCP client, or on the page of npx mcp-patchbay dev'],
  ),
  RESOURCE_UNKNOWN: entry<{ uri: string }>(({ uri }) => `Resource not found: ${shown(uri)}`),
  CURSOR_UNKNOWN: entry<object>(() => 'cursor is not one that this server gave for this list'),
  PROMPT_UNKNOWN: entry<{ name: string }>(({ name }) => `Unknown prompt: ${shown(name)}`),
  PROMPT_ARGUMENTS: entry<{ name: string; problems: readonly string[] }>(
    ({ name, problems }) => `Invalid arguments for prompt ${name}: ${problems.join('; ')}`,
  ),
  RATE_LIMITED: entry<{ perMinute: number; of: 'principal' | 'tenant'; seconds: number }>(
    ({ perMinute, of, seconds }) =>
      `Too many calls: the limit is ${perMinute} per minute for ${of === 'tenant' ? 'all callers of a tenant together' : 'one caller'}; ` +
      `the next call is possible in ${seconds} s`,
    ({ seconds }) => [`Wait ${seconds} s, then call again`],
  ),
  CALL_TIMEOUT: entry<{ tool: string; ms: number }>(
    ({ tool, ms }) => `${tool} did not answer within ${ms} ms`,
    () => ['Ask for less in one call', 'Or raise timeoutMs of the tool or limits.callTimeoutMs'],
  ),
  CALL_FAILED: entry<{ name: string; problem: string }>(({ problem }) => problem),
  CALL_CANCELLED: entry<{ tool: string }>(({ tool }) => `${tool} was cancelled by the client`),
  SUBSCRIPTION_LIMIT: entry<{ max: number }>(
    ({ max }) => `This connection already subscribes to ${max} resources, which is the limit`,
    () => ['Unsubscribe from some first'],
  ),
} satisfies Record<string, Entry<never>>

/** A name from outside may be as long as a message. */
function shown(name: string): string {
  return name.length > 200 ? `${name.slice(0, 200)}…` : name
}
