import { mutantsOf } from './mutant.ts'

const TABLE = 'tests/unit/decisions/visibility-table.test.ts'
const HIDDEN = 'tests/unit/decisions/why-it-is-hidden-table.test.ts'

export const visibility = mutantsOf('visibility', [
  {
    file: 'host/src/server/catalog/visibility.ts',
    noticedBy: [TABLE],
    changes: [
      [
        'explain lays a tool to a plugin whose name its name only begins like',
        'name.startsWith(`${instance}_`)',
        'name.startsWith(instance)',
        { noticedBy: ['tests/unit/calls/visibility-is-one-decision.test.ts'] },
      ],
      ['nothing is refused', 'for (const rule of rules) if (rule.refuses(item, caller, policy)) return rule.code', ''],
      [
        'the last rule that refuses is the reason',
        'for (const rule of rules) if (rule.refuses',
        'for (const rule of rules.toReversed()) if (rule.refuses',
      ],
      ['explain shows a refusal as passed', "verdict: refused ? 'refuse' : 'pass'", "verdict: 'pass'"],
      [
        'explain takes the last rule for the one that decided',
        "chain.find(({ verdict }) => verdict === 'refuse')",
        "chain.findLast(({ verdict }) => verdict === 'refuse')",
      ],
      [
        'tools of a quarantined plugin are seen',
        "item.plugin.state === 'quarantined' || isQuarantined(item)",
        'isQuarantined(item)',
      ],
      [
        'tools with another definition are seen',
        "item.plugin.state === 'quarantined' || isQuarantined(item)",
        "item.plugin.state === 'quarantined'",
      ],
      [
        'prompts and resources with another definition are seen',
        "kind === 'tool' ? plugin.quarantined?.has(localName) : plugin.othersQuarantined",
        "kind === 'tool' && plugin.quarantined?.has(localName)",
      ],
      [
        'the quarantine is looked up by the full name',
        "kind === 'tool' ? plugin.quarantined?.has(localName)",
        "kind === 'tool' ? plugin.quarantined?.has(`${plugin.instance}_${localName}`)",
      ],
      ['tools of a plugin that does not run are seen', "plugin.state !== 'unconfigured' && plugin.live === undefined", 'false'],
      [
        'tools of a plugin that is not configured are seen',
        "plugin.state === 'unconfigured' || refusedFor(plugin",
        'refusedFor(plugin',
      ],
      [
        'a tenant whose settings do not work sees the tools',
        "plugin.state === 'unconfigured' || refusedFor(plugin, principal.tenant) !== undefined",
        "plugin.state === 'unconfigured'",
      ],
      [
        "a tenant with settings of its own is refused for want of the entry's",
        "(tenants?.includes(tenant) ? undefined : refused?.get(''))",
        "refused?.get('')",
      ],
      [
        "a tenant without settings of its own is not refused for want of the entry's",
        "?? (tenants?.includes(tenant) ? undefined : refused?.get(''))",
        '',
      ],
      ["one tenant's refusal is another's", 'refused?.get(tenant) ??', '[...(refused?.values() ?? [])][0] ??'],
      [
        "the entry's deny is not asked",
        'return !allow(localName, tags) || deny(localName, tags)',
        'return !allow(localName, tags)',
      ],
      [
        "the entry's allow is not asked",
        'return !allow(localName, tags) || deny(localName, tags)',
        'return deny(localName, tags)',
      ],
      [
        'an allow of the entry overrules its deny',
        'return !allow(localName, tags) || deny(localName, tags)',
        'return !allow(localName, tags) && deny(localName, tags)',
      ],
      [
        "the entry's globs are over full names",
        'return !allow(localName, tags) || deny(localName, tags)',
        'return !allow(`${plugin.instance}_${localName}`, tags) || deny(`${plugin.instance}_${localName}`, tags)',
      ],
      [
        'tools outside of the enabled toolsets are seen',
        'enabled !== undefined && !inToolsets(name, tags, enabled, toolsets)',
        'false',
      ],
      ['an empty list of toolsets enables all', 'enabled !== undefined && !inToolsets', 'enabled?.length && !inToolsets'],
      [
        'a tag widens a toolset of the config',
        'toolsets.get(toolset)?.(name, tags) ?? tags',
        'toolsets.get(toolset)?.(name, tags) || tags',
      ],
      ['a tool must be in every toolset', 'return enabled.some(', 'return enabled.every('],
      ["the host's deny is not asked", '!host.allow(name, tags) || host.deny(name, tags)', '!host.allow(name, tags)'],
      ["the host's allow is not asked", '!host.allow(name, tags) || host.deny(name, tags)', 'host.deny(name, tags)'],
      [
        'read-only of the host is not kept',
        "access === 'write' && (readOnly || plugin.entry.readOnly)",
        "access === 'write' && plugin.entry.readOnly",
      ],
      [
        'read-only of the entry is not kept',
        "access === 'write' && (readOnly || plugin.entry.readOnly)",
        "access === 'write' && readOnly",
      ],
      [
        'read-only hides what reads',
        "access === 'write' && (readOnly || plugin.entry.readOnly)",
        'readOnly || plugin.entry.readOnly',
      ],
      ['tenants see everything', 'tenants.size > 0 && tenantRefuses', 'tenants.size > 1_000 && tenantRefuses'],
      [
        'a caller without a tenant sees everything',
        "if (tenant === undefined) return kind !== 'local'",
        'if (tenant === undefined) return false',
      ],
      [
        'the operator sees nothing where there are tenants',
        "if (tenant === undefined) return kind !== 'local'",
        'if (tenant === undefined) return true',
      ],
      [
        'a caller of an unknown tenant sees everything',
        'return rule === undefined || !rule.allow(name, tags)',
        'return rule !== undefined && !rule.allow(name, tags)',
      ],
      ["the tenant's deny is not asked", ' || rule.deny(name, tags)', ''],
      ["the tenant's allow is not asked", ' || !rule.allow(name, tags)', ''],
      ["the tenant's read-only is not kept", " || (rule.readOnly && access === 'write')", ''],
      ['permissions are not asked for', '!permits(policy, principal.permissions, item, item.permissions)', 'false'],
      [
        'any of the needed permissions is enough',
        'for (const permission of needed) if (!permissions.has(permission)) return false',
        'if (needed.length > 0 && !needed.some((permission) => permissions.has(permission))) return false',
      ],
      [
        "a tool's own permissions are not asked for",
        'for (const permission of needed) if (!permissions.has(permission)) return false',
        '',
      ],
      [
        "a tool's own permission is enough where no scope grants the tool",
        'if (grants.get(permission)?.(name, tags)) return true\n  return false',
        'if (grants.get(permission)?.(name, tags)) return true\n  return needed.length > 0',
      ],
      [
        'a scope that grants nothing grants all',
        'if (grants.get(permission)?.(name, tags)) return true\n  return false',
        'if (grants.get(permission)?.(name, tags)) return true\n  return true',
      ],
      ['without a map of scopes nothing is permitted', 'if (grants.size === 0) return true', ''],
      ['implied permissions do not count', 'const permissions = permissionsOf(granted)', 'const permissions = new Set(granted)'],
      ['the permission * is a permission like others', "if (permissions.has('*')) return true", ''],
      ['a request cannot ask for less than writing', "(readOnly && access === 'write') ||", ''],
      ['a request cannot ask for fewer toolsets', '(wanted !== undefined && !inToolsets(name, tags, wanted, toolsets))', 'false'],
    ],
  },
  {
    file: 'host/src/server/catalog/policy.ts',
    noticedBy: [TABLE],
    changes: [
      [
        'an empty allow allows everything',
        'allow: allow ? compileToolGlobs(allow)',
        'allow: allow?.length ? compileToolGlobs(allow)',
      ],
      ['nothing is denied', 'deny: compileToolGlobs(deny ?? [])', 'deny: compileToolGlobs([])'],
      [
        'toolsets named in the map of scopes mean nothing',
        'Object.hasOwn(toolsets, glob) ? (toolsets[glob] ?? []) : [glob]',
        '[glob]',
      ],
      ['permissions imply one step only', 'for (const permission of found)\n', 'for (const permission of [...found])\n'],
      ["a tenant's read-only is lost", 'readOnly: tenant.readOnly ?? false', 'readOnly: false'],
      ["a tenant's globs are the host's", '...globRule(tenant.tools ?? {})', '...globRule(config.tools)'],
      [
        'what is implied for one is implied for all',
        'known.set(granted, (all = found))',
        'for (const one of Object.values(implies).flat()) found.add(one)\n      known.set(granted, (all = found))',
      ],
    ],
  },
  {
    file: 'host/src/server/catalog/caller.ts',
    noticedBy: [TABLE],
    changes: [
      ["the operator's list is given to others", "    principal.kind === 'local',\n", ''],
      ['lists of tenants are one', '    principal.tenant ?? null,\n', ''],
      ['lists of other permissions are one', '    principal.permissions.toSorted(),\n', ''],
      ['permissions are joined', 'principal.permissions.toSorted(),', 'principal.permissions.toSorted().join(),'],
      ['lists of other toolsets are one', '[narrowing.toolsets, narrowing.address?.toolsets]', '[narrowing.address?.toolsets]'],
      ['lists of addresses are one', '[narrowing.toolsets, narrowing.address?.toolsets]', '[narrowing.toolsets]'],
      ['toolsets are joined', 'JSON.stringify(toolsets.toSorted())', 'toolsets.toSorted().join()'],
      ['a request for no toolset gets the list of one for all', '(toolsets ? [', '(toolsets?.length ? ['],
      [
        'a request for reading gets the list of one for all',
        'narrowing.readOnly || narrowing.address?.readOnly === true',
        'narrowing.address?.readOnly === true',
      ],
      [
        'an address for reading gets the list of one for all',
        'narrowing.readOnly || narrowing.address?.readOnly === true',
        'narrowing.readOnly',
      ],
    ],
  },
  {
    file: 'host/src/server/catalog/view.ts',
    noticedBy: ['tests/unit/calls/visibility-is-one-decision.test.ts'],
    changes: [
      [
        'every tool is listed',
        'const tools = [...snapshot.tools.values()].filter(visible)',
        'const tools = [...snapshot.tools.values()]',
      ],
    ],
  },
  {
    file: 'host/src/config/schema/glob.ts',
    noticedBy: [TABLE, 'tests/unit/config/config-globs.test.ts'],
    changes: [
      ['a glob need not match the whole name', 'return p === pattern.length', 'return true'],
      ['tags are not looked at', 'return (name, tags) => byName(name) || tags.some((tag) => byTag(tag))', 'return byName'],
      ['names are not looked at where a tag is named', 'byName(name) || tags.some', 'tags.some'],
      ['an empty list matches everything', 'plain.size === 0 ? () => false', 'plain.size === 0 ? () => true'],
      ['plain names are not looked at beside globs', 'plain.has(name) || wild.some', 'wild.some'],
    ],
  },
  {
    file: 'host/src/server/catalog/visibility.ts',
    noticedBy: [HIDDEN],
    changes: [
      [
        'no resource is explained',
        '?? snapshot.prompts.get(name) ?? snapshot.resources.get(name)',
        '?? snapshot.prompts.get(name)',
      ],
      ['a plugin that is loading is not blamed', "state === 'loading' || state === 'quarantined'", "state === 'quarantined'"],
      ['the name of a tool is left out of the step that approves it', "${kind === 'tool' ? `.${localName}` : ''}", ''],
      [
        'an explanation names the wrong side of read-only',
        'readOnly\n          ? `${source}: readOnly, or --read-only`',
        '!readOnly\n          ? `${source}: readOnly, or --read-only`',
      ],
    ],
  },
  {
    file: 'host/src/server/catalog/missing-scopes.ts',
    noticedBy: [HIDDEN],
    changes: [
      [
        'who cannot get in by asking is told to ask',
        'return refusal(item, { ...caller, principal }, snapshot.policy) === undefined ? needed : undefined',
        'return needed',
      ],
      ['scopes are told of what another rule hides', "!item || refusal(item, caller, snapshot.policy) !== 'permission'", '!item'],
      [
        'scopes that are not offered are told',
        '[...needed].every((scope) => offered.includes(scope)) ? [...needed] : undefined',
        '[...needed]',
      ],
      ['the scope that grants most is asked for', 'a.tools - b.tools', 'b.tools - a.tools'],
      ['the scope that a caller has is asked for again', 'held ?? least?.scope', 'least?.scope'],
      ['the own permissions of a tool are not asked for', 'new Set(permissions)', 'new Set<string>()'],
      ['only the first message of a batch counts', 'if (scopes) return scopes', 'return scopes'],
      ['a subscription lacks no scope', "    case 'resources/subscribe':\n", ''],
    ],
  },
])
