import { entry, lastLines, type Entry } from './error-definition.ts'

/** An MCP server that is run as a plugin. */
export const serverErrors = {
  SERVER_CONNECT: entry<{ plugin: string; problem: string; output: string; fix: readonly string[] }>(
    ({ plugin, problem, output }) =>
      `The MCP server of "${plugin}" could not be connected: ${problem}${output.trim() === '' ? '' : `. Its last output: ${lastLines(output)}`}`,
    ({ fix }) => fix,
  ),
  SERVER_TOOL_CHANGED: entry<{ plugin: string; tool: string }>(
    ({ plugin, tool }) =>
      `The MCP server of "${plugin}" has changed its tool ${tool} since it was listed, so the call was not sent`,
    () => ['List the tools again, then call the tool as it is now'],
  ),
  SERVER_BUSY: entry<{ plugin: string; max: number }>(
    ({ plugin, max }) => `Other callers use all ${max} processes that the MCP server of "${plugin}" may have`,
    ({ plugin }) => ['Call again when one of their calls is done', `Raise maxProcesses of the entry "${plugin}"`],
  ),
  SERVER_ASKED: entry<{ plugin: string; method: string }>(
    ({ plugin, method }) =>
      `The MCP server of "${plugin}" asks its caller for something (${method}), but callers share it, so it can ask none of them`,
    ({ plugin }) => [`Give each caller a server process of its own: set share: 'caller' on the entry "${plugin}"`],
  ),
  CALL_NOT_WAITING: entry<{ plugin: string }>(
    ({ plugin }) =>
      `The answer came too late: no call of "${plugin}" waits for it here. A call waits ten minutes, in the process where it began, for the caller that began it`,
    () => ['Call the tool again from the beginning', 'With several replicas, have the balancer send a caller to the same one'],
  ),
  CALLS_WAITING: entry<{ plugin: string; max: number }>(
    ({ plugin, max }) => `${max} calls of "${plugin}" already wait for an answer of their callers, which is the limit`,
    () => ['Answer or cancel some of them, then call again'],
  ),
} satisfies Record<string, Entry<never>>
