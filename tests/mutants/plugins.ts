import { mutantsOf } from './mutant.ts'

const PIN = 'tests/unit/decisions/pin-verdict-table.test.ts'
const CAPABILITIES = 'tests/unit/pin/pin-capabilities.test.ts'
const CALLERS = 'tests/unit/isolated-callers.test.ts'
const STORE = 'tests/unit/cache/cache-store-fails.test.ts'
const LOADS = 'tests/unit/cache/cache-loads.test.ts'
const VALUES = 'tests/unit/cache/cache-values.test.ts'
const MODULES = 'tests/unit/modules/what-an-evaluation-covers.test.ts'

const POLICY = 'tests/unit/decisions/pin-policy-table.test.ts'

export const plugins = mutantsOf('plugins', [
  {
    file: 'host/src/plugin/run/held/kept-handles.ts',
    noticedBy: ['tests/unit/plugin/handles-of-versions.test.ts'],
    changes: [
      ['a handle that could not be made is not made again', 'if (handles.get(key) === handle) handles.delete(key)', ''],
      [
        'a version that only uses a handle counts as held',
        'some(({ maker }) => maker === version)',
        'some(({ users }) => users.has(version))',
      ],
      ['callers of two scopes share a handle', 'JSON.stringify([instance, scope, name])', 'JSON.stringify([instance, name])'],
      [
        'a handle goes with the first version that asked for it',
        'users.delete(version) && users.size === 0',
        'users.delete(version)',
      ],
    ],
  },
  {
    file: 'host/src/plugin/source/discover.ts',
    noticedBy: ['tests/unit/plugin/plugins-of-a-folder.test.ts'],
    changes: [
      ['a plugin whose module is away is unmounted', '(before?.plugins.has(path) === true && isFolder(path))', 'false'],
      ['a folder of plugins that does not exist is warned of', '    if (isMissing(error)) return []\n', ''],
    ],
  },
  {
    file: 'host/src/plugin/lock-file.ts',
    noticedBy: ['tests/security/pins/lock-file.test.ts'],
    changes: [
      ['a torn lock is in the log alone', 'problem = reasonOf(error)', ''],
      ['a repaired lock is still called torn', 'problem = undefined', ''],
    ],
  },
  {
    file: 'host/src/plugin/trust/observe-document.ts',
    noticedBy: ['tests/integration/described-apis/pinned-descriptions.test.ts'],
    changes: [["a description's bytes are not looked at", "...(digest !== '' && { digest: `sha256-${digest}` })", '']],
  },
  {
    file: 'host/src/pin/verdict/verdict.ts',
    noticedBy: [PIN],
    changes: [
      [
        'a frozen plugin from a path runs as it is',
        "if (!frozen && install.source === 'path')",
        "if (install.source === 'path')",
      ],
      ['an npm plugin runs as it is while nothing is frozen', "if (!frozen && install.source === 'path')", 'if (!frozen)'],
      [
        'a frozen plugin runs that is not in the lock',
        "return frozen ? { plugin: 'refused', error, differences: [] } :",
        'return',
      ],
      ['a frozen plugin runs that differs', 'faults.find((fault) => frozen || (', 'faults.find((fault) => ('],
      ['a plugin that asks for more runs', "(fault.kind === 'capability' && fault.change === 'broadened')", 'false'],
      ['a plugin that asks for less is refused', " && fault.change === 'broadened'", ''],
      [
        'changed files hide nothing while nothing is frozen',
        'return changed === undefined ? judgeSurface',
        'return true ? judgeSurface',
      ],
      ['a plugin that asks for less is hidden', "kind !== 'capability' && kind !== 'server'", "kind !== 'server'"],
      ['a server with other arguments is hidden while nothing is frozen', " && kind !== 'server'", ''],
      ['a frozen plugin reads another description', "difference.kind === 'document' || ", ''],
      ['an edit of a description hides all tools while nothing is frozen', " && kind !== 'document'", ''],
      [
        'what another machine describes is taken as it comes while nothing is frozen',
        '!frozen && install.document?.digest !== undefined',
        '!frozen && install.document !== undefined',
      ],
      [
        'a changed tool of a pinned description is served',
        'changed === undefined && !frozen && install.document?.digest !== undefined',
        'changed === undefined && install.document?.digest !== undefined',
      ],
      ['a frozen server runs with another command', "'tree', 'server', 'capability'].includes", "'tree', 'capability'].includes"],
      [
        'a changed version is no difference of the install',
        "['use', 'version', 'integrity', 'tree', 'server', 'capability']",
        "['use', 'integrity', 'tree', 'server', 'capability']",
      ],
      [
        'a changed tree is no difference of the install',
        "['use', 'version', 'integrity', 'tree', 'server', 'capability']",
        "['use', 'version', 'integrity', 'capability']",
      ],
      [
        'a changed integrity is no difference of the install',
        "['use', 'version', 'integrity', 'tree', 'server', 'capability']",
        "['use', 'version', 'tree', 'capability']",
      ],
      [
        'another source is no difference of the install',
        "['use', 'version', 'integrity', 'tree', 'server', 'capability']",
        "['version', 'integrity', 'tree', 'server', 'capability']",
      ],
      ['a tool that writes now is seen', "if (difference.kind === 'access') {", 'if (false) {'],
      [
        'a new tool is seen',
        "if (difference.change === 'added') return [[difference.tool, 'it is not in mcp.lock.json']]",
        "if (difference.change === 'added') return []",
      ],
      ['changed prompts and resources are seen', "differences.some(({ kind }) => kind === 'others')", 'false'],
      [
        'files that changed leave prompts and resources seen',
        'othersQuarantined: true, warnings: [installError',
        'othersQuarantined: false, warnings: [installError',
      ],
    ],
  },
  {
    file: 'host/src/pin/difference/compare.ts',
    noticedBy: [PIN],
    changes: [
      [
        'another integrity passes',
        'locked.integrity !== undefined && install.integrity !== undefined && locked.integrity !== install.integrity',
        'false',
      ],
      ['other bytes pass', 'if (locked.tree !== install.tree) {', 'if (false) {'],
      ['another definition passes', 'if (was.digest !== is.digest) {', 'if (false) {'],
      ['another access passes', 'if (was.access !== is.access) differences', 'if (false) differences'],
      ['another version passes', "for (const kind of ['use', 'version'] as const)", "for (const kind of ['use'] as const)"],
      ['other prompts pass', 'return combineSurface(locked.tools, others) !== locked.surface', 'return false'],
      ['other capabilities pass', 'return [...differences, ...changes.map', 'return [...differences, ...changes.slice(0, 0).map'],
    ],
  },
  {
    file: 'host/src/pin/capabilities.ts',
    noticedBy: [CAPABILITIES],
    changes: [
      ['more hosts are no gain', "...compareSets('hosts', granted.hosts, asked.hosts),", ''],
      ['more variables are no gain', "...compareSets('env', granted.env, asked.env),", ''],
      ['more files to read are no gain', "...compareSets('fs.read', granted.fs.read, asked.fs.read, covers),", ''],
      ['more files to write are no gain', "...compareSets('fs.write', granted.fs.write, asked.fs.write, covers),", ''],
      [
        'the secrets themselves are no gain',
        "...compareFlag('credentials', 'raw', granted.credentials === 'raw', asked.credentials === 'raw'),",
        '',
      ],
      ['compiled code is no gain', "...compareFlag('native', 'true', granted.native, asked.native),", ''],
      ['a folder whose name begins the same is within', 'inner.startsWith(`${outer}/`)', 'inner.startsWith(outer)'],
    ],
  },
  {
    file: 'host/src/plugin/trust/pin-policy.ts',
    noticedBy: [PIN],
    changes: [
      ['a package.json that changed meanwhile decides', 'if (frozen) compareRead(tree, digests)', 'void compareRead'],
      [
        'a pin in the config passes where npm recorded nothing',
        "!integrity?.split(' ').includes(wanted)",
        "integrity !== undefined && !integrity.split(' ').includes(wanted)",
      ],
      ['a pin in the config is not looked at', 'checkConfigured(entry, install, within.label)', ''],
      [
        'a pin in the config of a path is not looked at',
        ' && entry.integrity === undefined) return uncheckedPin',
        ') return uncheckedPin',
      ],
      [
        'compiled code of a package runs unasked',
        'refuseNative({ entry, install, tree }, within.label)',
        '',
        { noticedBy: [POLICY] },
      ],
      [
        'compiled code runs where the config does not allow it',
        "install.source === 'path' || install.capabilities.native",
        'install.tree',
        { noticedBy: [POLICY] },
      ],
      [
        'of several pins the first decides',
        'if (accepted.some(({ warnings }) => warnings.length === 0)) return undefined',
        '',
        { noticedBy: [POLICY] },
      ],
      [
        'a plugin without a name is judged by any pin',
        '.filter(([, { use }]) => use === specifierOf(entry))',
        '',
        { noticedBy: [POLICY] },
      ],
      [
        'the pins of another deployment count',
        'Object.hasOwn(lock.deployments, deployment) ? lock.deployments[deployment] : undefined',
        'Object.values(lock.deployments)[0]',
        { noticedBy: [POLICY] },
      ],
      [
        'what was imported is published although the lock refuses it',
        "      if (verdict.plugin === 'refused') throw verdict.error\n      return {",
        '      if (verdict.plugin === "refused") return unpinned\n      return {',
        { noticedBy: [POLICY] },
      ],
      ['files may run after their version', '[Symbol.dispose]: end,', '[Symbol.dispose]: () => {},', { noticedBy: [POLICY] }],
      [
        'files of an isolated plugin may run in the host',
        "frozen && entry.isolation === 'inline'",
        'frozen',
        { noticedBy: [POLICY] },
      ],
      [
        'a description is read that the lock does not pin',
        'if (!frozen || !locked) return',
        'if (frozen || !locked) return',
        { noticedBy: [POLICY] },
      ],
      [
        'a plugin from a path is not looked at where the lock is the law',
        'if (!frozen && isEdited',
        'if (isEdited',
        { noticedBy: [POLICY] },
      ],
      ['the plugin of descriptions is not pinned', ' && !servesDescription(entry)', '', { noticedBy: [POLICY] }],
      [
        'a server elsewhere may call itself as it likes',
        '...withServerName(install, serverName)',
        '...install',
        { noticedBy: [POLICY] },
      ],
      [
        'rights that a plugin asks for are not checked while nothing is pinned',
        'await withDeclared(await grantedCapabilities(entry, within), surface, within)',
        '',
        { noticedBy: [POLICY] },
      ],
    ],
  },
  {
    file: 'host/src/plugin/trust/observe.ts',
    noticedBy: [POLICY],
    changes: [
      ['a linked package is taken for one from npm', "source === 'npm' && isInPackages(root)", "source === 'npm'"],
      ['a plugin that asks for compiled code is not seen', 'native: one.native || other.native', 'native: one.native'],
      [
        'a plugin that asks for its credentials is not seen',
        "one.credentials === 'raw' ? 'raw' : other.credentials",
        'one.credentials',
      ],
      [
        'folders that a plugin asks to write are not pinned',
        'write: [...one.fs.write, ...other.fs.write]',
        'write: [...one.fs.write]',
      ],
      ['the integrity that npm recorded is not looked at', '...(integrity === undefined ? {} : { integrity }),', ''],
      [
        'what a tool may do is not pinned',
        '          access,\n          descriptor',
        "          access: 'read',\n          descriptor",
      ],
    ],
  },
  {
    file: 'host/src/plugin/trust/approved-files.ts',
    noticedBy: [POLICY],
    changes: [
      ['files that no pin covers run', 'if (pinned.length === 0) throw', 'if (false) throw'],
      ['other bytes of a pinned file run', 'sha256 === digest)', 'sha256 !== undefined || digest)'],
      [
        'a version that ends takes the files of another with it',
        'return () => void approvals.delete(files)',
        'return () => approvals.clear()',
      ],
      [
        'code that Node holds is taken for the new one',
        'if (running !== undefined && running !== sha256) throw',
        'if (false) throw',
      ],
    ],
  },
  {
    file: 'host/src/data/schema/fill-defaults.ts',
    noticedBy: ['tests/unit/contract/plugin-schemas-are-bounded.test.ts'],
    changes: [
      ['what a default leaves out stays out', 'if (below) inDefault(below, filled)', ''],
      ['the default of a recursive schema goes on forever', 'if (within?.has(schema)) return', ''],
    ],
  },
  {
    file: 'host/src/data/schema/compile-check.ts',
    noticedBy: ['tests/unit/data/compiled-checks.test.ts'],
    changes: [
      ['a lock may have keys that its schema does not know', 'if (!byName && byPattern.length === 0) return false', ''],
      ['a lock may lack what its schema requires', 'required.every((key) => Object.hasOwn(value, key)) &&', ''],
      ['a digest in the lock may be any text', '&& matches.test(value)', '&& matches !== undefined'],
    ],
  },
  {
    file: 'host/src/plugin/isolate/calls/opaque-callers.ts',
    noticedBy: [CALLERS],
    changes: [
      ['fingerprints can be compared across plugins', "(credentialKey === '' ? '' : hash(credentialKey))", 'credentialKey'],
      ['no credential has a name', "(credentialKey === '' ? '' : hash(credentialKey))", 'hash(credentialKey)'],
      ['two plugins know a caller by one name', 'const key = randomBytes(32)', 'const key = Buffer.alloc(32)'],
      ['a plugin sees who calls', 'id: hash(JSON.stringify([kind, tenant, id]))', 'id'],
      ['a caller has one name in two tenants', '[kind, tenant, id]', '[kind, id]'],
      ['two kinds of callers have one name', '[kind, tenant, id]', '[tenant, id]'],
      ['the name of a caller does not stay', 'known.set(principal, hidden)', ''],
    ],
  },
  {
    file: 'host/src/plugin/isolate/broker.ts',
    noticedBy: [CALLERS],
    changes: [
      [
        'the rights of a call outlive it',
        'calls.get(id)?.progress?.end()\n      calls.delete(id)',
        'calls.get(id)?.progress?.end()',
      ],
      [
        'requests of a call go without its rights',
        'return scope ? inCall(scope, send) : outsideCalls(send)',
        'return outsideCalls(send)',
      ],
      [
        "the cache of a call is the plugin's",
        'pluginCache(cache, { instance, digest, principal })',
        'pluginCache(cache, { instance, digest, principal: principal && undefined })',
      ],
    ],
  },
  {
    file: 'host/src/cache/stores/guarded-store.ts',
    noticedBy: [STORE],
    changes: [
      ['a key in doubt is read', 'if (isDoubtful()) return undefined', ''],
      ['a removal is not tried again', 'if (isDoubtful()) await doubts.settle()', ''],
      ['what is removed is not in doubt', '      doubts.add(keys)\n      await doubts.settle()', '      await doubts.settle()'],
      ['what was written stays in doubt', 'doubts.remove(entries.map(({ key }) => key))', ''],
      ['a value that was not kept counts as kept', 'if (!written?.every(Boolean)) return false', ''],
      ['the store is never left alone', 'const FAILURES = 3', 'const FAILURES = 300'],
      ['failures are not counted', 'failures += 1', '', { noticedBy: [STORE] }],
    ],
  },
  {
    file: 'host/src/cache/stores/doubts.ts',
    noticedBy: [STORE],
    changes: [
      ['a doubt that came during a removal is lost', 'if (since.get(key) === at) since.delete(key)', 'since.delete(key)'],
      ['too many doubts are forgotten', 'everythingSince = time\n', ''],
      ['a removal that failed ends the doubt', 'return // still in doubt', ''],
    ],
  },
  {
    file: 'host/src/cache/namespace.ts',
    noticedBy: [STORE, LOADS, VALUES],
    changes: [
      ['what was dropped while it was loaded is kept', 'if (current && !isLeft() && json', 'if (current && json'],
      [
        'an entry whose tags were dropped is given',
        'if (entry && versions && isSame(entry.head.versions, versions)) {',
        'if (entry && versions) {',
      ],
      [
        'an entry is given after its time',
        'if (isWithin(head.freshUntil, lifetime)) return',
        'if (isWithin(head.goneAt, lifetime) || true) return',
      ],
      ['a value that was not kept leaves the old one', 'if (!isKept) store.doubt(full)', ''],
      ['keys of any length are taken', 'if (key.length > deps.maxKeyLength)', 'if (false)'],
      ['values of any size are kept', 'return isFitting', 'return true'],
      ['two callers share an object', 'return json === undefined ? value : JSON.parse(json)', 'return value'],
      [
        'namespaces are one',
        'const prefix = `${kind}:${hashParts(identity)}:`',
        'const prefix = `${kind}:`',
        { noticedBy: ['tests/unit/decisions/cache-key-table.test.ts'] },
      ],
    ],
  },
  {
    file: 'host/src/cache/stored-value.ts',
    noticedBy: [STORE],
    changes: [['parts that hold the separator are one', 'update(JSON.stringify(parts))', "update(parts.join(':'))"]],
  },
  {
    file: 'host/src/observability/redact.ts',
    noticedBy: ['tests/unit/auth/redact.test.ts'],
    changes: [
      ['a secret of four characters is shown', 'const SHORTEST = 4', 'const SHORTEST = 5'],
      ['parts of words are taken out', 'const SHORTEST = 4', 'const SHORTEST = 3'],
      ['a secret is shown that was added twice and ended once', 'if (--secret.holders > 0) return', 'secret.holders = 0'],
      ['a secret that came later is shown', '      compileFor(secret)\n', ''],
      [
        'a secret that nobody holds is taken out',
        'const isLive = ({ holders }: Secret) => holders > 0',
        'const isLive = (_: Secret) => true',
      ],
      ['a secret of eight characters is shown in answers', 'const SHORTEST_IN_ANSWERS = 8', 'const SHORTEST_IN_ANSWERS = 9'],
    ],
  },
  {
    file: 'host/src/observability/secret-search.ts',
    noticedBy: ['tests/unit/auth/redact.test.ts'],
    changes: [
      ['a long text is looked at too seldom', '(window - BLOCK_BYTES + 1) >>> 2', '(window + BLOCK_BYTES) >>> 2'],
      [
        'the last words of a long text are not looked at',
        'const end = copy(bytes, from) >>> 2',
        'const end = (copy(bytes, from) >>> 2) - 2',
      ],
      [
        'only the place where a block stands is searched',
        'const last = Math.min(length, at + window)',
        'const last = Math.min(length, at + BLOCK_BYTES)',
      ],
      ['only the first piece of a very long text is searched', 'from < length; from += LONGEST', 'from < 1; from += LONGEST'],
      ['a word that both looks let through is passed over', '!== 0) break', '=== 0) break'],
      ['a block that is in the middle of a secret is not known', 'at <= window - BLOCK_BYTES; at++', 'at < 1; at++'],
    ],
  },
  {
    file: 'host/src/observability/secret-spellings.ts',
    noticedBy: ['tests/unit/auth/redact.test.ts'],
    changes: [
      ['a secret in Base64 is shown', '    ...base64Pieces(bytes),\n', ''],
      ['a secret in a URL is shown', 'const encoded = [percent, strict, encodeURIComponent(percent), ', 'const encoded = ['],
      ['a secret in a form is shown', ", new URLSearchParams({ '': wellFormed }).toString().slice(1)]", ']'],
      ['a secret in JSON is shown', '    json,\n', ''],
      ['a secret in JSON in JSON is shown', '    JSON.stringify(json).slice(1, -1),\n', ''],
      ['a secret in HTML is shown', '    wellFormed.replace(/[&<>"\']/g, (character) => HTML[character] ?? character),\n', ''],
    ],
  },
  {
    file: 'host/src/modules/evaluation.ts',
    noticedBy: [MODULES],
    changes: [
      [
        "a folder whose name begins like the plugin's is its own",
        'this.root = root?.endsWith(sep) ? root : root && root + sep',
        'this.root = root',
      ],
      ['everything is of a plugin', 'return this.root !== undefined && file.startsWith(this.root)', 'return true'],
    ],
  },
  {
    file: 'host/src/modules/source.ts',
    noticedBy: [MODULES],
    changes: [
      ['compiled code is not judged', 'admit?.({ file, digest: digestOf(file), once: true })', ''],
      ['code is not judged', 'admit?.({ file, digest, once: false })', ''],
    ],
  },
  {
    file: 'host/src/config/file/deployment.ts',
    noticedBy: ['tests/unit/config/config-deployment.test.ts'],
    changes: [
      ['a deployment changes an entry that it added itself', 'entries.slice(0, named).flatMap', 'entries.flatMap'],
      ['an entry that could be several changes the first', 'if (another !== undefined) throw', 'if (false) throw'],
      [
        'lists of a deployment are ignored',
        'isObject(before) && isObject(value) ? merge(before, value) : value',
        'isObject(before) && isObject(value) ? merge(before, value) : (before ?? value)',
      ],
    ],
  },
])
