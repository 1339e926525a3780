import { isObject } from '../../data/json.ts'
import { longTextsOf } from '../../data/long-text/long-texts.ts'
import { argumentShape, type AuditLine } from '../../observability/audit.ts'
import { callFields } from '../../observability/tracing/trace-context.ts'
import type { PendingCall } from './types.ts'
import type { RefusalCode } from '../catalog/visibility.ts'
import type { SnapshotItem } from '../catalog/snapshot.ts'

type Asked = Pick<PendingCall, 'kind' | 'name' | 'caller' | 'io'>

/** The arguments of a call as they came: before defaults are filled in and nulls are taken out, which happens in place. */
export function givenArguments({ item, args }: PendingCall): NonNullable<AuditLine['arguments']> {
  // Only where the audit was switched on while the call ran: what its long texts were is not known any more.
  if (longTextsOf(args)) return {}
  return argumentShape(args, argumentNames(item))
}

/** A call that was let through, and one that only then turned out to be one too many, or not approved. */
export function auditLine(call: PendingCall, ms: number, given = givenArguments(call)): AuditLine {
  const { item, outcome } = call
  const { plugin } = item
  const isDenied = outcome === 'limited' || outcome === 'refused' || outcome === 'unknown'
  return {
    decision: isDenied ? 'deny' : 'allow',
    ...(isDenied && { reason: DENIALS[outcome] }),
    ...askedBy(call),
    plugin: plugin.instance,
    version: plugin.version,
    tree: plugin.tree,
    credential: credentialOf(call),
    outcome,
    ms: Math.round(ms * 1000) / 1000,
    arguments: given,
    ...callFields(call.io.requestId, call.io.trace),
  }
}

/** A call that the caller may not make. Who asks for a plugin that it may not see is not told of it; the log is. */
export function deniedLine(call: Asked, reason: RefusalCode): AuditLine {
  return { decision: 'deny', reason, ...askedBy(call), ...callFields(call.io.requestId, call.io.trace) }
}

const DENIALS = { limited: 'rate', refused: 'not_approved', unknown: 'unknown' } as const

/** No name of a tool is longer: a longer one is an attempt to fill the log. */
const MAX_NAME = 256

function askedBy({ kind, name, caller: { principal } }: Asked) {
  const { id, kind: principalKind, tenant } = principal
  return { kind, name: name.length > MAX_NAME ? `${name.slice(0, MAX_NAME)}…` : name, principal: id, principalKind, tenant }
}

function credentialOf({ item, caller: { principal, credentials, account } }: PendingCall): string {
  const use = item.plugin.credentialUse?.({ access: item.access, principal, credentials, account })
  if (!use || use.by === 'none') return 'none'
  if (use.by === 'refused') return 'refused'
  return use.source.kind === 'server' ? `server:${use.source.variables.join('+')}` : `caller:${use.source.kind}`
}

const names = new WeakMap<SnapshotItem, ReadonlySet<string>>()

function argumentNames(item: SnapshotItem): ReadonlySet<string> {
  let known = names.get(item)
  if (!known) names.set(item, (known = new Set(declaredNames(item))))
  return known
}

function declaredNames(item: SnapshotItem): readonly string[] {
  if (!('wire' in item) || !isObject(item.wire)) return []
  const { inputSchema, arguments: args } = item.wire
  if (isObject(inputSchema) && isObject(inputSchema['properties'])) return Object.keys(inputSchema['properties'])
  return Array.isArray(args) ? args.flatMap((arg: unknown) => (isObject(arg) ? [String(arg['name'])] : [])) : []
}
