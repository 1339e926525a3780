import { mutantsOf } from './mutant.ts'

const openapi = ['plugins/openapi/tests/small-rules.test.ts']
const doctor = ['tests/unit/project/what-doctor-finds.test.ts']

/** What doctor finds, which events are changes, and which operations of a description are tools. */
export const projects = mutantsOf('projects', [
  {
    file: 'host/src/config/schema/mask.ts',
    noticedBy: ['tests/unit/config/what-errors-mask.test.ts'],
    changes: [
      ['a secret that holds another one is shown in part', 'b.length - a.length', 'a.length - b.length'],
      ['short values are taken out of words', 'const SHORTEST = 6', 'const SHORTEST = 1'],
    ],
  },
  {
    file: 'host/src/project/doctor/running-host.ts',
    noticedBy: doctor,
    changes: [['any host is that of the project', "about['project'] !== projectId(file)", 'false']],
  },
  {
    file: 'host/src/project/doctor/machine-findings.ts',
    noticedBy: doctor,
    changes: [
      [
        'an issuer that tells no time has a wrong clock',
        'if (!(Math.abs(skewMs) > MAX_SKEW_MS))',
        'if (Math.abs(skewMs) <= MAX_SKEW_MS)',
      ],
      [
        'the ports of another program are those of the own host',
        'if (running && portsOf(running).has(port)) return []',
        'if (running) return []',
      ],
      ['an issuer that is behind is said to be ahead', "skewMs > 0 ? 'ahead of'", "skewMs < 0 ? 'ahead of'"],
    ],
  },
  {
    file: 'host/src/project/doctor/plugin-findings.ts',
    noticedBy: doctor,
    changes: [
      ['a plugin whose reload failed is no finding', ' || reloadError !== null)', ')'],
      ['a plugin in quarantine is no finding', " || state === 'quarantined'", ''],
    ],
  },
  {
    file: 'host/src/plugin/reload/watch-targets.ts',
    noticedBy: ['tests/unit/plugin/which-events-matter.test.ts'],
    changes: [
      ['any new file beside code builds the plugin', '(folders.has(folder) && isCode(real))', 'folders.has(folder)'],
      ["an editor's backup builds the plugin", '(listed.has(folder) && !isLeftByEditor(basename(real)))', 'listed.has(folder)'],
      ['a change of a file that nothing reads builds the plugin', "  if (event === 'change') return false\n", ''],
    ],
  },
  {
    file: 'plugins/openapi/operations/select.ts',
    noticedBy: openapi,
    changes: [
      [
        'the parts of a pattern share letters',
        'return text.length - last.length >= at && text.endsWith(last)',
        'return text.endsWith(last)',
      ],
    ],
  },
  {
    file: 'plugins/openapi/operations/security.ts',
    noticedBy: openapi,
    changes: [
      [
        'what the whole API asks for goes first',
        "said['security'] ?? document['security']",
        "document['security'] ?? said['security']",
      ],
    ],
  },
  {
    file: 'plugins/openapi/operations/answer.ts',
    noticedBy: openapi,
    changes: [['a status of 400 is an answer', 'if (status >= 400) throw', 'if (status > 400) throw']],
  },
  {
    file: 'plugins/openapi/document/read.ts',
    noticedBy: openapi,
    changes: [['a description of another host is asked for', '!document.startsWith(`${base}/`)', '!document.startsWith(base)']],
  },
  {
    file: 'plugins/openapi/operations/tool.ts',
    noticedBy: openapi,
    changes: [['a HEAD takes a body', "const body = method === 'GET' || method === 'HEAD' ?", "const body = method === 'GET' ?"]],
  },
  {
    file: 'host/src/project/clients/install-client.ts',
    noticedBy: ['tests/integration/command-line/install-into-clients.test.ts'],
    changes: [
      ["another server's entry is overwritten", '!isOurs(before) && !replace', 'false'],
      ['the variables of an entry are lost', 'isObject(before) && isOurs(before) ?', 'false ?'],
      ['no copy is kept', 'if (backup !== null) await copyFile', 'if (backup === null) await copyFile'],
    ],
  },
  {
    file: 'host/src/project/clients/server-table.ts',
    noticedBy: ['tests/integration/command-line/install-into-clients.test.ts'],
    changes: [
      [
        'an edit is not read again',
        'edited !== undefined && isDeepStrictEqual(valueOf(edited, syntax), wanted) ? edited : undefined',
        'edited',
      ],
    ],
  },
  {
    file: 'host/src/project/doctor/file-findings.ts',
    noticedBy: ['tests/integration/command-line/what-doctor-looks-at.test.ts'],
    changes: [['a file in a closed folder is reported', '&& isReachable(path)', '']],
  },
])
