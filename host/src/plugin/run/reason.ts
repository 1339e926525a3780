import { HostError } from '../../errors.ts'
import { locationOf, type SourceLocation } from '../../modules/location.ts'
import { isError, messageOf, valueOf } from '../../observability/thrown.ts'
import type { PluginReason } from './plugin-record.ts'

/**
 * An error as a plugin's reason: for listings and `/readyz`, without its stack, and without secrets where `redact` knows them. `files`
 * are the plugin's own, to place it in.
 */
export function reasonOf(
  error: unknown,
  { files = new Set(), redact = (text) => text }: { files?: ReadonlySet<string>; redact?: (text: string) => string } = {},
): PluginReason {
  const { code, message, fix } = error instanceof HostError ? error : unknownError(error)
  const location = placeOf(error, files)
  return {
    code,
    message: redact(message),
    fix: fix.map(redact),
    ...(location && { at: `${location.file}:${location.line}:${location.column}` }),
    ...(location?.frame && { frame: redact(location.frame) }),
  }
}

function unknownError(error: unknown): PluginReason {
  return {
    code: 'INTERNAL',
    message: messageOf(error),
    fix: ['Look in the log for the whole error'],
  }
}

/** The innermost error knows best where it was thrown; those around it are ours. A plugin's own causes may go in a circle. */
function placeOf(error: unknown, files: ReadonlySet<string>, depth = 0): SourceLocation | undefined {
  if (!isError(error) || depth > 5) return undefined
  return placeOf(valueOf(error, 'cause'), files, depth + 1) ?? locationOf(error, files)
}
