import { TAG } from '../../config/schema/glob.ts'
import type { PluginReason, PluginRecord } from '../../plugin/run/plugin-record.ts'
import type { Caller, Narrowing } from './caller.ts'
import type { Policy } from './policy.ts'
import type { Snapshot, SnapshotItem } from './snapshot.ts'

/** Why a caller may not see a thing; the order is the order of the rules. */
export type RefusalCode =
  | 'unknown'
  | 'quarantined'
  | 'plugin_failed'
  | 'not_configured'
  | 'denied_by_plugin'
  | 'not_in_toolset'
  | 'denied_by_host'
  | 'read_only'
  | 'tenant'
  | 'permission'
  | 'request_narrowed'

/**
 * May this caller see and call this item? The first rule that refuses, or undefined when none does. The one decision for list, call,
 * search, resources and prompts: nothing else in the host asks whether something is visible.
 */
export function refusal(item: SnapshotItem, caller: Caller, policy: Policy): RefusalCode | undefined {
  for (const rule of rules) if (rule.refuses(item, caller, policy)) return rule.code
  return undefined
}

/** One link of the chain that `explain` prints. */
export interface RuleVerdict {
  readonly rule: RefusalCode
  readonly verdict: 'pass' | 'refuse'
  /** The setting, header or scope behind the verdict. */
  readonly source: string
}

export interface Explanation {
  readonly tool: string
  readonly visible: boolean
  /** The first rule that refuses, or null. */
  readonly decidedBy: RefusalCode | null
  readonly chain: readonly RuleVerdict[]
}

/** Every rule's verdict on a tool, prompt or resource by its client-visible name, with what is behind it. */
export function explain(snapshot: Snapshot, name: string, caller: Caller): Explanation {
  const item = snapshot.tools.get(name) ?? snapshot.prompts.get(name) ?? snapshot.resources.get(name)
  if (!item) return explainUnknown(snapshot, name)
  const chain = rules.map(({ code, refuses, source }): RuleVerdict => {
    const refused = refuses(item, caller, snapshot.policy)
    return { rule: code, verdict: refused ? 'refuse' : 'pass', source: source(item, caller, snapshot.policy) }
  })
  const known: RuleVerdict = {
    rule: 'unknown',
    verdict: 'pass',
    source: `plugin "${item.plugin.instance}" has it; tags: ${item.tags.join(', ')}`,
  }
  const decidedBy = chain.find(({ verdict }) => verdict === 'refuse')?.rule ?? null
  return { tool: name, visible: decidedBy === null, decidedBy, chain: [known, ...chain] }
}

/** A plugin that never loaded has no tools to name: whether one was meant can only be told by the prefix. */
function explainUnknown(snapshot: Snapshot, name: string): Explanation {
  const failed = snapshot.plugins.find(
    ({ instance, state }) =>
      (state === 'failed' || state === 'loading' || state === 'quarantined') && name.startsWith(`${instance}_`),
  )
  if (!failed)
    return {
      tool: name,
      visible: false,
      decidedBy: 'unknown',
      chain: [{ rule: 'unknown', verdict: 'refuse', source: 'no plugin has it' }],
    }
  const source = `plugin "${failed.instance}" is ${failed.state}: ${failed.reason?.message ?? 'not there yet'}`
  const decidedBy = failed.state === 'quarantined' ? 'quarantined' : 'plugin_failed'
  return {
    tool: name,
    visible: false,
    decidedBy,
    chain: [
      { rule: 'unknown', verdict: 'pass', source: `the name begins with that of plugin "${failed.instance}"` },
      { rule: decidedBy, verdict: 'refuse', source },
    ],
  }
}

interface Rule {
  readonly code: RefusalCode
  readonly refuses: (item: SnapshotItem, caller: Caller, policy: Policy) => boolean
  readonly source: (item: SnapshotItem, caller: Caller, policy: Policy) => string
}

const rules: readonly Rule[] = [
  {
    code: 'quarantined',
    refuses: (item) => item.plugin.state === 'quarantined' || isQuarantined(item),
    source: (item) => {
      const { plugin, localName, kind } = item
      if (!isQuarantined(item)) return `mcp.lock.json: plugin "${plugin.instance}" is ${plugin.pinned ?? 'not pinned'}`
      return `mcp.lock.json records another definition; npx mcp-patchbay approve ${plugin.instance}${kind === 'tool' ? `.${localName}` : ''}`
    },
  },
  {
    code: 'plugin_failed',
    refuses: ({ plugin }) => plugin.state !== 'unconfigured' && plugin.live === undefined,
    source: ({ plugin }) =>
      plugin.live || plugin.state === 'unconfigured'
        ? `plugin "${plugin.instance}" is loaded`
        : `plugin "${plugin.instance}" is ${plugin.state}${plugin.reason ? `: ${plugin.reason.message}` : ''}`,
  },
  {
    code: 'not_configured',
    refuses: ({ plugin }, { principal }) => plugin.state === 'unconfigured' || refusedFor(plugin, principal.tenant) !== undefined,
    source({ plugin }, { principal }) {
      const reason = refusedFor(plugin, principal.tenant) ?? plugin.reason
      return reason ? [reason.message, ...reason.fix].join('; ') : `plugin "${plugin.instance}" is configured`
    },
  },
  {
    code: 'denied_by_plugin',
    refuses({ plugin, localName, tags }, _caller, policy) {
      const { allow, deny } = policy.plugin(plugin.entry)
      return !allow(localName, tags) || deny(localName, tags)
    },
    source: ({ plugin }, _caller, { source }) => `${source}: tools of the entry "${plugin.instance}" ${list(plugin.entry.tools)}`,
  },
  {
    code: 'not_in_toolset',
    refuses: ({ name, tags }, _caller, { enabled, toolsets }) =>
      enabled !== undefined && !inToolsets(name, tags, enabled, toolsets),
    source: (_item, _caller, { source, enabled }) =>
      `${source}: tools.enable ${enabled ? JSON.stringify(enabled) : 'is not set'}`,
  },
  {
    code: 'denied_by_host',
    refuses: ({ name, tags }, _caller, { host }) => !host.allow(name, tags) || host.deny(name, tags),
    source: (_item, _caller, { source }) => `${source}: tools.allow and tools.deny`,
  },
  {
    code: 'read_only',
    refuses: ({ access, plugin }, _caller, { readOnly }) => access === 'write' && (readOnly || plugin.entry.readOnly),
    source: ({ access, plugin }, _caller, { source, readOnly }) =>
      access === 'read'
        ? 'it only reads'
        : readOnly
          ? `${source}: readOnly, or --read-only`
          : plugin.entry.readOnly
            ? `${source}: readOnly of the entry "${plugin.instance}"`
            : `${source}: readOnly is off`,
  },
  {
    code: 'tenant',
    refuses: (item, { principal }, { tenants }) =>
      tenants.size > 0 && tenantRefuses(item, principal.tenant, principal.kind, tenants),
    source: (_item, { principal }, { source, tenants }) =>
      tenants.size === 0
        ? 'there are no tenants'
        : `${source}: tenants${principal.tenant === undefined ? ', and the caller has none' : `.${principal.tenant}`}`,
  },
  {
    code: 'permission',
    refuses: (item, { principal }, policy) => !permits(policy, principal.permissions, item, item.permissions),
    source: ({ permissions }, { principal }) =>
      `needs ${permissions.length ? permissions.join(', ') : 'no permission of its own'}; the caller has ${principal.permissions.join(', ') || 'none'}`,
  },
  {
    code: 'request_narrowed',
    refuses: (item, { narrowing }, policy) =>
      narrows(narrowing, item, policy) || (narrowing.address !== undefined && narrows(narrowing.address, item, policy)),
    source: (_item, { narrowing }) =>
      [
        ...(narrowing.readOnly ? ['header X-Patchbay-Read-Only'] : []),
        ...(narrowing.toolsets ? [`header X-Patchbay-Toolsets: ${narrowing.toolsets.join(', ')}`] : []),
        ...(narrowing.address ? [`address ${narrowing.address.path}`] : []),
      ].join(' and ') || 'the request asks for no less',
  },
]

/** Why an active plugin is not configured for callers of this tenant. One with settings of its own has no part in the entry's. */
function refusedFor({ refusedFor: refused, tenants }: PluginRecord, tenant = ''): PluginReason | undefined {
  return refused?.get(tenant) ?? (tenants?.includes(tenant) ? undefined : refused?.get(''))
}

/** The lock digests each tool, and everything else of a plugin together. */
function isQuarantined({ kind, plugin, localName }: SnapshotItem): boolean {
  return (kind === 'tool' ? plugin.quarantined?.has(localName) : plugin.othersQuarantined) ?? false
}

/** A toolset is a name of the config, or a tag, with `tag:` before it or without. */
function inToolsets(name: string, tags: readonly string[], enabled: readonly string[], toolsets: Policy['toolsets']): boolean {
  return enabled.some(
    (toolset) =>
      toolsets.get(toolset)?.(name, tags) ?? tags.includes(toolset.startsWith(TAG) ? toolset.slice(TAG.length) : toolset),
  )
}

function narrows(
  { toolsets: wanted, readOnly }: Pick<Narrowing, 'toolsets' | 'readOnly'>,
  { name, access, tags }: SnapshotItem,
  { toolsets }: Policy,
): boolean {
  return (readOnly && access === 'write') || (wanted !== undefined && !inToolsets(name, tags, wanted, toolsets))
}

/**
 * With tenants in the config, a caller without a tenant, or with an unknown one, sees nothing. The operator on stdio or loopback is not a
 * tenant.
 */
function tenantRefuses(
  { name, access, tags }: SnapshotItem,
  tenant: string | undefined,
  kind: string,
  tenants: Policy['tenants'],
): boolean {
  if (tenant === undefined) return kind !== 'local'
  const rule = tenants.get(tenant)
  return rule === undefined || !rule.allow(name, tags) || rule.deny(name, tags) || (rule.readOnly && access === 'write')
}

/** A tool's own permissions must all be granted; where the config maps scopes to tools, one of the caller's must grant it as well. */
export function permits(
  { grants, permissionsOf }: Policy,
  granted: readonly string[],
  { name, tags }: Pick<SnapshotItem, 'name' | 'tags'>,
  needed: readonly string[] = [],
): boolean {
  const permissions = permissionsOf(granted)
  if (permissions.has('*')) return true
  for (const permission of needed) if (!permissions.has(permission)) return false
  if (grants.size === 0) return true
  for (const permission of permissions) if (grants.get(permission)?.(name, tags)) return true
  return false
}

function list(tools: { readonly allow?: readonly string[]; readonly deny?: readonly string[] } | undefined): string {
  const shown = [
    ...(tools?.allow ? [`allow ${JSON.stringify(tools.allow)}`] : []),
    ...(tools?.deny?.length ? [`deny ${JSON.stringify(tools.deny)}`] : []),
  ]
  return shown.join(', ') || 'have no globs'
}
