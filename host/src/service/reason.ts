import { HostError } from '../errors.ts'
import type { PluginReason } from './plugin-record.ts'

/** An error as a plugin's reason: for listings and `/readyz`, without stack or secrets. */
export function reasonOf(error: unknown): PluginReason {
  if (error instanceof HostError) {
    const frame = frameOf(error.cause)
    return { code: error.code, message: error.message, fix: error.fix, ...(frame === undefined ? {} : { frame }) }
  }
  return {
    code: 'INTERNAL',
    message: error instanceof Error ? error.message : String(error),
    fix: ['Look in the log for the whole error'],
  }
}

function frameOf(cause: unknown): string | undefined {
  return typeof cause === 'object' && cause !== null && 'frame' in cause && typeof cause.frame === 'string'
    ? cause.frame
    : undefined
}
