import assert from 'node:assert/strict'
import { test } from 'node:test'
import { run } from '../../host/src/cli/program.ts'

const endings: readonly (readonly [name: string, args: readonly string[], code: number, stderr: RegExp])[] = [
  ['an unknown flag', ['list', '--tool'], 2, /^error: unknown option '--tool'\n\(Did you mean --tools\?\)/],
  ['an unknown command', ['lits'], 2, /^error: unknown command 'lits'\n\(Did you mean list\?\)/],
  ['a missing argument', ['explain'], 2, /^error: missing required argument 'tool'/],
  ['one argument too many', ['list', 'all'], 2, /^error: too many arguments for 'list'/],
  ['a port that is none', ['start', '--port', '65536'], 2, /A port is a number from 0 to 65535\./],
  ['a transport that is none', ['start', '--transport', 'smoke'], 2, /Allowed choices are stdio, http, streamable-http, sse\./],
  ['an argument without a key', ['call', 'sqlite_query_run', 'SELECT 1'], 2, /^error: "SELECT 1" is not key=value\n/],
  ['an input that is no JSON', ['call', 'sqlite_query_run', '--input', '{'], 2, /^error: --input is not a JSON object\n/],
  ['a config that is not there', ['list', '--config', 'no.json'], 78, /^No config found. .*\nTo fix:\n {2}1\. .*--config/],
  ['a deployment nobody described', ['list', '--deployment', 'moon'], 78, /^The deployment "moon" .*\nTo fix:\n {2}1\. /],
]

for (const [name, args, expected, message] of endings)
  test(`the command ends with ${expected} for ${name}, and says what to do`, async (t) => {
    const { mock } = t.mock.method(process.stderr, 'write', () => true)
    const code = await run(args)
    const said = mock.calls.map(({ arguments: [text] }) => String(text)).join('')
    mock.restore()
    assert.match(said, message)
    assert.equal(code, expected)
  })
