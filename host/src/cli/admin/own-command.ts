import { spawn } from 'node:child_process'
import { text } from 'node:stream/consumers'
import { isObject } from '../../data/json.ts'
import { ERROR_CODES, HostError, hostError } from '../../errors.ts'

/** More than a project of a thousand tools takes. */
const TIMEOUT_MS = 120_000

/**
 * Runs one of this program's own commands with `--json` in a process of its own and gives what it prints: what it imports, and what that
 * does, stays out of the host that serves. Throws the error that the command printed, and `COMMAND_FAILED` where it printed none.
 */
export async function runOwn(args: readonly string[], signal: AbortSignal): Promise<object> {
  const [, program = ''] = process.argv
  const command = [...process.execArgv, program, ...args, '--json']
  const child = spawn(process.execPath, command, {
    stdio: ['ignore', 'pipe', 'pipe'],
    signal: AbortSignal.any([signal, AbortSignal.timeout(TIMEOUT_MS)]),
  })
  const ended = new Promise<string | undefined>((resolve) => {
    child.once('error', (error) => resolve(error.message))
    child.once('close', () => resolve(undefined))
  })
  const [printed, said, failed] = await Promise.all([textOf(child.stdout), textOf(child.stderr), ended])
  const json = parsed(printed)
  if (!json) {
    const problem = failed ?? (said.trim() || 'it printed nothing')
    throw hostError('COMMAND_FAILED', { command: args.slice(0, 2).join(' '), problem })
  }
  const error = errorIn(json)
  if (error) throw error
  return json
}

/** The error of another process, as it was there. */
function errorIn({ error }: Readonly<Record<string, unknown>>): HostError | undefined {
  if (!isObject(error) || typeof error['code'] !== 'string' || typeof error['message'] !== 'string') return undefined
  const code = ERROR_CODES.find((known) => known === error['code'])
  const fix = Array.isArray(error['fix']) ? error['fix'].map(String) : []
  return code && new HostError(code, error['message'], fix)
}

/** A process that cannot be started has no streams. */
function textOf(stream: NodeJS.ReadableStream | null): Promise<string> {
  return stream ? text(stream).catch(() => '') : Promise.resolve('')
}

function parsed(printed: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(printed)
    return isObject(value) ? value : undefined
  } catch {
    return undefined
  }
}
