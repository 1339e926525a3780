import { mutantsOf } from './mutant.ts'

const TABLE = 'tests/unit/decisions/cache-key-table.test.ts'
const RESULTS = 'tests/unit/cache/cached-results.test.ts'

export const cacheKeys = mutantsOf('cache-keys', [
  {
    file: 'host/src/cache/cache.ts',
    noticedBy: ['tests/unit/cache/cache-values.test.ts'],
    changes: [
      ['a large description is not kept', "kind === 'registry' ? {", 'false ? {'],
      ['a plugin keeps values of any size', "kind === 'registry' ? {", "kind !== '' ? {"],
    ],
  },
  {
    file: 'host/src/cache/stores/store-guard.ts',
    noticedBy: ['tests/unit/cache/cache-store-rules.test.ts'],
    changes: [
      [
        'a call from before tells again that the store is down',
        '    else if (downUntil !== undefined) return // began before the store went down: too old to tell\n',
        '',
      ],
    ],
  },
  {
    file: 'host/src/cache/stores/memory-store.ts',
    noticedBy: ['tests/unit/cache/cache-store-rules.test.ts'],
    changes: [['long keys cost nothing', 'key.length + sizeOf(value) + 1', 'sizeOf(value) + 1']],
  },
  {
    file: 'host/src/plugin/run/plugin-cache.ts',
    noticedBy: [TABLE],
    changes: [
      ["a plugin's cache without the tenant", "'call', tenant, kind", "'call', '', kind"],
      ["a plugin's cache without the principal", 'kind, id, instance', 'kind, instance'],
      ["a plugin's cache without the kind of principal", 'tenant, kind, id', 'tenant, id'],
      ["a plugin's cache without the instance", 'id, instance, digest', 'id, digest'],
      ["a plugin's cache without the version", 'id, instance, digest', 'id, instance'],
      [
        "the cache of background work is everybody's",
        "if (!principal) return cache.namespace('plugin', 'start', instance, digest)",
        "principal ??= { id: 'ann', tenant: 'acme', kind: 'apiKey', permissions: [] }",
      ],
    ],
  },
  {
    file: 'host/src/server/call/result/result-cache.ts',
    noticedBy: [TABLE, RESULTS],
    changes: [
      ['a tool that writes answers before what it made stale is gone', 'await cache.drop(', 'void cache.drop('],
      [
        "an answer that a caller's own credential brought is shared",
        "surface.cache?.scope === 'shared' && use.by !== 'caller'",
        "surface.cache?.scope === 'shared'",
      ],
      ['every answer is shared', "surface.cache?.scope === 'shared' && use.by", 'use.by'],
      [
        'no answer is shared',
        "const isShared = surface.cache?.scope === 'shared' && use.by !== 'caller'",
        'const isShared = false',
      ],
      ['answers without the tenant', "    tenant ?? '',\n    isShared", '    isShared'],
      [
        'answers without the id',
        'JSON.stringify([kind, id, permissions.toSorted()])',
        'JSON.stringify([kind, permissions.toSorted()])',
      ],
      [
        'answers without the kind of principal',
        'JSON.stringify([kind, id, permissions.toSorted()])',
        'JSON.stringify([id, permissions.toSorted()])',
      ],
      ['answers without the permissions', 'JSON.stringify([kind, id, permissions.toSorted()])', 'JSON.stringify([kind, id])'],
      ['permissions are joined', 'permissions.toSorted()]', 'permissions.toSorted().join()]'],
      ['answers depend on the order of permissions', 'permissions.toSorted()]', 'permissions]'],
      ["answers without the credential's fingerprint", "use.by === 'caller' ? use.fingerprint : ''", "''"],
      ['answers without the instance', '    plugin.instance,\n    version,', '    version,'],
      ['answers without the version', '    plugin.instance,\n    version,', '    plugin.instance,'],
      ['answers without the tool', '    JSON.stringify(surface),\n', ''],
      ['answers of code that is not known are kept', 'if (version === undefined) return undefined', ''],
      [
        'what others may see answers a caller who may use no credential',
        "if (!use || use.by === 'refused') return undefined",
        'if (!use) return undefined',
      ],
      ['tools that write are cached', "surface.cache !== undefined && access === 'read'", 'surface.cache !== undefined'],
      ['interactive tools are cached', ' && !surface.interactive', ''],
      ['tools with approval are cached', ' && !needsApproval', ''],
      ['tools that did not opt in are cached', 'surface.cache !== undefined && access', 'access'],
      [
        "one tenant's write drops another's answers",
        "    const tenant = principal.tenant ?? ''\n    return [cache.tag",
        "    const tenant = principal.tenant === undefined ? '' : ''\n    return [cache.tag",
      ],
      ["a write keeps the plugin's other answers", "[cache.tag('plugin', tenant, plugin.instance), ...names", '[...names'],
      [
        'a write keeps the answers under its tags',
        'await cache.drop(tagsOf(tool.plugin, caller, namedTags(tool.plugin)))',
        'await cache.drop(tagsOf(tool.plugin, caller, []))',
      ],
      [
        'a write that failed keeps the old answers',
        'try {\n      return await run()\n    } finally {\n      await cache.drop(tagsOf(tool.plugin, caller, namedTags(tool.plugin)))\n    }',
        "const answer = await run()\n    if (answer.kind === 'result' && answer.result.isError) return answer\n    await cache.drop(tagsOf(tool.plugin, caller, namedTags(tool.plugin)))\n    return answer",
      ],
    ],
  },
])
