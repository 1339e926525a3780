import type { Logger } from '@mcp-patchbay/plugin-api'

/** The event of every line below: what is in the way is dropped before such a line is. A plugin cannot write one. */
export const AUDIT_EVENT = 'audit'

/** One decision: who wanted what, and what became of it. Never a value that a caller or a service sent. */
export interface AuditLine {
  readonly decision: 'allow' | 'deny'
  /** Of a denial: the rule that refused, or what did. */
  readonly reason?: string
  readonly kind: 'tool' | 'resource' | 'prompt'
  readonly name: string
  readonly principal: string
  readonly principalKind: string
  readonly tenant?: string | undefined
  readonly plugin?: string
  readonly version?: string | undefined
  /** The digest of every byte of the plugin, where it was compared with the lock. */
  readonly tree?: string | undefined
  /** By whose credential it may have gone to the service. */
  readonly credential?: string
  readonly outcome?: string
  readonly ms?: number
  /** See {@link argumentShape}. */
  readonly arguments?: Readonly<Record<string, string>>
  /** The call's id in the other lines of the log. */
  readonly call: string
  /** The id of the trace of the request. */
  readonly trace?: string
}

/** What became of a caller's account at a service. */
export type AccountEvent = 'link' | 'refresh' | 'unlink' | 'refused'

/** One event of a linked account. Never a token. */
export interface AccountLine {
  readonly decision: 'allow' | 'deny'
  /** Of a denial: why. */
  readonly reason?: string
  readonly kind: 'account'
  readonly event: AccountEvent
  /** The instance of the service. */
  readonly name: string
  readonly plugin: string
  readonly principal: string
  readonly principalKind: string
  readonly tenant?: string | undefined
}

/** Where decisions are written down. */
export interface Audit {
  /** Whether a line that is recorded now is written. */
  readonly isOn: () => boolean
  /** The line is made only where it is written. */
  record(line: () => AuditLine | AccountLine): void
}

/** Writes one line `audit` a decision to the log, as long as `isOn` says so. */
export function createAudit(log: Logger, isOn: () => boolean): Audit {
  return {
    isOn,
    record(line) {
      if (isOn()) log.info(AUDIT_EVENT, { ...line() })
    },
  }
}

/**
 * The kind and size of each argument, `{ repo: 'string(12)', labels: 'array(2)' }`. Names are those of the tool's schema: others come
 * from the caller and may be data, so they are only counted.
 */
export function argumentShape(args: unknown, known: ReadonlySet<string>): Readonly<Record<string, string>> {
  if (typeof args !== 'object' || args === null) return {}
  const entries = Object.entries(args)
  const shown = entries.filter(([name]) => known.has(name)).map(([name, value]) => [name, shapeOf(value)] as const)
  const others = entries.length - shown.length
  return Object.fromEntries(others > 0 ? [...shown, ['…', `${others} more`]] : shown)
}

function shapeOf(value: unknown): string {
  if (value === null) return 'null'
  if (typeof value === 'string') return `string(${value.length})`
  if (Array.isArray(value)) return `array(${value.length})`
  return typeof value === 'object' ? `object(${Object.keys(value).length})` : typeof value
}
