import { mutantsOf } from './mutant.ts'

const TABLE = 'tests/unit/decisions/reload-table.test.ts'
const RELOADER = 'tests/unit/reload/reloader.test.ts'
const MANY = 'tests/unit/reload/reloads-of-many.test.ts'
const VERSION = 'tests/unit/decisions/version-identity-table.test.ts'
const SHARED = 'tests/security/credentials/shared-variables.test.ts'
const NAMES = 'tests/unit/names-are-taken-once.test.ts'
const EVENTS = 'tests/unit/reload/host-events.test.ts'
const LISTS = 'tests/mcp_protocol/list-changed.test.ts'
const ENVIRONMENT = ['tests/unit/decisions/environment-table.test.ts']

export const reload = mutantsOf('reload', [
  {
    file: 'host/src/publish.ts',
    noticedBy: [EVENTS],
    changes: [['an embedder does not hear of a generation', "emit('generation', ", "((..._: unknown[]) => {})('generation', "]],
  },
  {
    file: 'host/src/host.ts',
    noticedBy: [EVENTS],
    changes: [
      ['an embedder does not hear of a reload', "emit('reload', report)", ''],
      ['an embedder does not hear of a drained version', "emit('drained', report)", 'false'],
      [
        'a listener that throws fails what it hears of',
        "log.error('listener_failed', { topic: event[0], error })",
        'throw error',
      ],
    ],
  },
  {
    file: 'host/src/server/catalog/registry.ts',
    noticedBy: [LISTS],
    changes: [
      [
        'clients do not hear of another list',
        "for (const listener of this.listeners('published'))",
        'for (const listener of [] as (() => void)[])',
      ],
      [
        'clients do not hear of a resource',
        "for (const listener of this.listeners('resources'))",
        'for (const listener of [] as (() => void)[])',
        { noticedBy: ['tests/mcp_protocol/resources-change.test.ts'] },
      ],
    ],
  },
  {
    file: 'host/src/config/file/find.ts',
    noticedBy: ['tests/unit/config/config-load.test.ts'],
    changes: [
      ['cosmiconfig finds nothing', 'const found = await explorer.search(folder)', 'const found = await Promise.resolve(null)'],
      ['cosmiconfig looks for other names', 'searchPlaces: NAMES', "searchPlaces: ['mcp.config.json']"],
      ['an empty config is passed over', 'ignoreEmptySearchPlaces: false', 'ignoreEmptySearchPlaces: true'],
      [
        'a config that cannot be read is passed over',
        'const readable = readSource(first)',
        "const readable = { file: first, text: '' }",
      ],
    ],
  },
  {
    file: 'host/src/plugin/reload/plan.ts',
    noticedBy: [TABLE],
    changes: [
      ['a bad edit takes the place of what serves', "return serves && isWorse ? 'keep' : 'publish'", "return 'publish'"],
      ['a version whose names are taken is published', "if (isTaken) return serves ? 'keep' : 'refuse'", ''],
      [
        'what serves is refused for the names of the next',
        "if (isTaken) return serves ? 'keep' : 'refuse'",
        "if (isTaken) return 'refuse'",
      ],
      [
        'a version with wrong settings of a tenant replaces the one that serves',
        'const isWorse = hasFault || ',
        'const isWorse = ',
      ],
      ['a failed attempt replaces the version that serves', '(!isLive && (hasError || isEdit))', '(!isLive && isEdit)'],
      ['an edit that wants other settings hides the tools', '(!isLive && (hasError || isEdit))', '(!isLive && hasError)'],
      ['an operator who takes a credential away changes nothing', '(!isLive && (hasError || isEdit))', '!isLive'],
      ['an edit is never published', '(!isLive && (hasError || isEdit))', '(hasError || isEdit)'],
      ['the names of a version that is kept are free for others', "fateOf(candidate, false) !== 'keep' &&", ''],
      [
        'a broken version counts as one that serves',
        'record?.live !== undefined && record.live.running.isBroken !== true',
        'record?.live !== undefined',
      ],
      ['the reason is not shown beside a version that is kept', '...(reason ? { reloadError: reason } : {})', ''],
      [
        'a version that is replaced is not drained',
        'if (slot.current) superseded.push({ activation: slot.current, generation: slot.generation })',
        '',
      ],
      [
        'an attempt that is not published is not released',
        'superseded.push({ activation: next, generation: 0 })\n      continue',
        'continue',
      ],
    ],
  },
  {
    file: 'host/src/modules/reading/source-digest.ts',
    noticedBy: [TABLE],
    changes: [
      ['what the machine cannot open is built again and again', ' && MACHINE.has(error.code))', ' && false)'],
      ['a file that is gone is as it was', "return digest !== '' && !", "return digest === '' && !"],
    ],
  },
  {
    file: 'host/src/plugin/reload/slot.ts',
    noticedBy: [TABLE],
    changes: [
      ["a file with an exchange's secret is named by no variable", ' || variables.has(`${named}_FILE`)', ''],
      ['another name keeps the version', "  'as',\n", ''],
      ['another pinned version keeps the version', "  'version',\n", ''],
      ['another integrity keeps the version', "  'integrity',\n", ''],
      ['another config keeps the version', "  'config',\n", ''],
      ['another isolation keeps the version', "  'isolation',\n", ''],
      ['other capabilities keep the version, with its old rights', "  'capabilities',\n", ''],
      ['another proxy or certificate keeps the version', "  'http',\n", ''],
      ['another read-only keeps the version', "  'readOnly',\n", ''],
      ["that callers' credentials are no longer taken keeps the version", "  'allowRequestCredentials',\n", ''],
      ["that the server's credentials are denied keeps the version", "  'serverCredentials',\n", ''],
      ['another exchange keeps the version', "  'exchange',\n", ''],
      [
        'another plugin keeps the version',
        'return a.use === b.use && essence(a) === essence(b)',
        'return essence(a) === essence(b)',
      ],
      ['the second entry of the same plugin is the first', 'return count === 1 ? key : `${key}#${count}`', 'return key'],
      ['a file with the same content builds again', ': read !== digestOf(path)', ': true'],
      ['a changed file builds nothing', ': read !== digestOf(path)', ': false'],
      [
        'a new file does not fix a failed plugin',
        "record.state === 'failed' && root !== undefined &&",
        "record.state !== 'failed' && root !== undefined &&",
      ],
      ['a file of a folder whose name begins the same counts', 'path.startsWith(`${root}${sep}`)', 'path.startsWith(root)'],
      [
        'a rotated secret in a file is not noticed',
        'some(([file, digest]) => isAnother(file, digest))\n}',
        'some(() => false)\n}',
      ],
      [
        "a tenant's variable is not noticed",
        "index === 0 || tenant === '' ? instance : tenantPrefix(tenant, instance)",
        'instance',
      ],
      ['a plugin that could not be imported reads no variable', 'if (!surface) return true', 'if (!surface) return false'],
      ['a variable of a tenant whose settings did not work is not noticed', '...(refusedFor?.keys() ?? [])', ''],
    ],
  },
  {
    file: 'host/src/plugin/reload/reload.ts',
    noticedBy: [RELOADER],
    changes: [
      [
        'a change during a build is not noticed',
        'if (!built.some(isStale)) return',
        'if (!built.some(isStale) || built.length > 0) return',
      ],
      [
        'an entry that is gone is not released',
        'for (const { current, generation: old } of removed) if (current) drains.start(current, old)',
        '',
      ],
      ['of two plugins that are built, none is published', 'next.every((record', 'next.some((record', { noticedBy: [MANY] }],
      [
        'a first start says nothing of what does not run',
        " || report.after?.state === 'unconfigured') logReload",
        ') logReload',
        { noticedBy: [MANY] },
      ],
      [
        'a host that closes builds again',
        'if (!closed && outdated.length > 0)',
        'if (outdated.length > 0)',
        { noticedBy: [MANY] },
      ],
      ['what did not change is built again with what did', 'built.filter(isStale)', 'built', { noticedBy: [MANY] }],
      [
        'an edit counts as a change of the config',
        'buildVersion(slot, { isEdit, turn }',
        'buildVersion(slot, { isEdit: false, turn }',
        { noticedBy: [MANY] },
      ],
      [
        'a plugin that hangs holds up the others',
        'Promise.race([done, pause(TURN_MS, life.signal)])',
        'done',
        { noticedBy: [MANY] },
      ],
      [
        'a plugin that leaves before it was ready is built on',
        'stopBuilding(slot)\n        leaving',
        'leaving',
        { noticedBy: [MANY] },
      ],
      ['a version that gave up is not drained', 'drains.start(activation, slot.generation)', '', { noticedBy: [MANY] }],
      ['a version that gave up is not told', "log.error('plugin_failed'", "log.debug('plugin_failed'", { noticedBy: [MANY] }],
    ],
  },
  {
    file: 'host/src/plugin/reload/reload-report.ts',
    noticedBy: [MANY],
    changes: [
      ['an attempt that failed is told as a reload', "if (outcome === 'kept') log.error", 'if (false) log.error'],
      [
        'a plugin that lacks a credential is told as failed',
        "else if (after.state === 'unconfigured') log.warn",
        'else if (false) log.warn',
      ],
    ],
  },
  {
    file: 'host/src/plugin/reload/slot.ts',
    noticedBy: [MANY],
    changes: [
      [
        'every file of every package is read again after a reload',
        '[...digests].filter(([file]) => !isInPackages(file.startsWith(root) ? file.slice(root.length) : file))',
        '[...digests]',
      ],
      [
        'a plugin of node_modules is not compared with the disk',
        'isInPackages(file.startsWith(root) ? file.slice(root.length) : file)',
        'isInPackages(file)',
      ],
      ['a version that gave up stays published', 'slot.current = failedActivation(current, error)', ''],
    ],
  },
  {
    file: 'host/src/plugin/reload/build-version.ts',
    noticedBy: [RELOADER],
    changes: [
      [
        'an attempt that was overtaken is published',
        'if (slot.building !== attempt) return drains.start(activation, 0)\n    // From',
        '// From',
      ],
    ],
  },
  {
    file: 'host/src/plugin/reload/stale.ts',
    noticedBy: [RELOADER],
    changes: [
      ['an entry that differs is not built again', '!sameVersion(slot.entry, entry) ||', ''],
      ['every entry is built again each time', 'if (isReset || isTouched(slot, changed))', 'if (true)'],
    ],
  },
  {
    file: 'host/src/plugin/run/live-plugin.ts',
    noticedBy: ['tests/unit/reload/live-plugin.test.ts'],
    changes: [
      [
        'calls beyond drainMs go on in a version that is gone',
        'for (const call of this.#calls) call.cancel(reason())',
        'resolve()',
      ],
      ['a version is disposed while calls are in it', 'if (finished > 0) {', 'if (finished > 1_000) {'],
      ['a version is disposed twice', 'this.#drained ??= this.#drain', 'this.#drained = this.#drain'],
      ['a version that is gone takes calls', 'if (this.#isDisposed) throw', 'if (this.#isDisposed && false) throw'],
      [
        'calls that were cancelled count as finished',
        'return { finished: finished - cancelled, cancelled }',
        'return { finished, cancelled }',
      ],
      [
        'a plugin that cannot be disposed is forgotten',
        'return { finished: finished - cancelled, cancelled, error }',
        'return { finished: finished - cancelled, cancelled }',
      ],
    ],
  },
  {
    file: 'host/src/plugin/source/version-identity.ts',
    noticedBy: [VERSION],
    changes: [
      ['a lazy import does not change the version', 'if (known?.files !== files.size) {', 'if (!known) {'],
      ['settings are not part of the version', '    config,\n    [...secrets]', '    [...secrets]'],
      ['secrets are not part of the version', '[...secrets].toSorted(byKey),\n', ''],
      [
        "tenants' settings and secrets are not part of the version",
        '...[...tenants].map(([tenant, of]) => [tenant, of.config, [...of.secrets].toSorted(byKey)]),',
        '',
      ],
      [
        "tenants' secrets are not part of the version",
        '[tenant, of.config, [...of.secrets].toSorted(byKey)]',
        '[tenant, of.config]',
      ],
      [
        "tenants' settings are not part of the version",
        '[tenant, of.config, [...of.secrets].toSorted(byKey)]',
        '[tenant, [...of.secrets].toSorted(byKey)]',
      ],
      ['code is not part of the version', 'JSON.stringify([settings, code])', 'JSON.stringify([settings, code.length])'],
      ['names of files are not part of the version', '[relative(root, file), digest] as const', "['', digest] as const"],
      ['the place on the machine is part of the version', 'relative(root, file)', 'file'],
      [
        'the order of reading is part of the version',
        '.map(([file, digest]) => [relative(root, file), digest] as const).toSorted(byKey)',
        '.map(([file, digest]) => [relative(root, file), digest] as const)',
      ],
      ['code in memory has the name of other code in memory', 'randomUUID()', "'memory'"],
    ],
  },
  {
    file: 'host/src/plugin/run/names.ts',
    noticedBy: [NAMES],
    changes: [
      [
        'two plugins have one tool',
        "claim('tool', fullName(instance, name))",
        "claim('tool', fullName(instance, crypto.randomUUID()))",
      ],
      [
        'two plugins have one prompt',
        "claim('prompt', fullName(instance, name))",
        "claim('prompt', fullName(instance, crypto.randomUUID()))",
      ],
      ['two plugins have one resource', 'claim(RESOURCE, uri)', 'claim(RESOURCE, `${instance} ${uri}`)'],
      ['two plugins have one instance name', "claim('instance name', instance),\n", ''],
      ['whoever serves loses its names', 'serving.forEach(take)', ''],
      [
        'the last in the config has the name',
        'for (const candidate of candidates) {',
        'for (const candidate of candidates.toReversed()) {',
      ],
      ['a plugin that is refused takes names', 'if (!taken) take(candidate)\n    else {', 'take(candidate)\n    if (taken) {'],
    ],
  },
  {
    file: 'host/src/plugin/settings/environment-readers.ts',
    noticedBy: [TABLE, SHARED],
    changes: [
      ['a variable of git is a slip', ' || isVariableOfAnother(name)', '', { noticedBy: ENVIRONMENT }],
      [
        'secrets that a plugin cannot reveal are not told',
        "!isGranted && surface?.capabilities.credentials === 'raw'",
        'false',
        { noticedBy: ENVIRONMENT },
      ],
      ['a variable that names a file is no variable', 'return [variable, `${variable}_FILE`]', 'return [variable]'],
      [
        'one variable is read for two things',
        'return others.length > 1 && others.some(({ isGrant }) => !isGrant) ?',
        'return others.length > 1_000 ?',
      ],
      [
        "a tenant's variables are nobody's",
        '...tenantsWith(tenants, instance).map((tenant) => ({\n      prefix',
        '...tenantsWith({}, instance).map((tenant) => ({\n      prefix',
      ],
      [
        'a plugin is granted the variable of another',
        '!isGrant || all.some((other) => !other.isGrant && (other.instance === undefined || other.instance !== instance))',
        '!isGrant',
        { noticedBy: ENVIRONMENT },
      ],
      [
        'a variable is laid to the instance with the shorter name',
        'b.prefix.length - a.prefix.length',
        'a.prefix.length - b.prefix.length',
        { noticedBy: ENVIRONMENT },
      ],
      [
        'a secret that an isolated plugin is granted and does not ask for is not named',
        "if (isGranted && entry.isolation === 'inline') return []",
        'if (isGranted) return []',
        { noticedBy: ENVIRONMENT },
      ],
    ],
  },
])
