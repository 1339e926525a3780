import assert from 'node:assert/strict'
import { test } from 'node:test'
import { reloading, revisionPlugin } from '../fixtures/plugins/reloading.ts'

const config = (body: string): string => `${body}\nexport default { plugins: ['./a'] }\n`
const files = { 'a/index.ts': revisionPlugin('a', 1), 'mcp.config.ts': config('') }
const whole = config('// a comment that makes it longer')

for (const [what, broken, message] of [
  ['is half written', whole.slice(0, -8), /has a syntax error|mcp\.config\.ts/],
  ['does not parse', config('const = 1'), /mcp\.config\.ts:1/],
  ['throws', config(`throw new Error('no config today')`), /no config today/],
  ['exits the process', config('process.exit(0)'), /exit/],
  ['loops forever', config('for (;;) {}'), /5,?000 ms/],
  ['never settles', config('await new Promise(() => {})'), /mcp\.config\.ts/],
  ['has no default export', 'export const plugins = []', /default/],
  ['is empty', '', /default|empty/],
] as const)
  test(`goes on with the config before when the new one ${what}, and takes the next good one`, async (t) => {
    const at = await reloading(t, files)
    const { generation } = at.host.snapshot
    at.write('mcp.config.ts', broken)
    const refused = await at.lines.next(({ event }) => event === 'config_refused')
    assert.match(String(refused['reason']), message)
    assert.deepEqual([at.host.snapshot.generation, await at.call('a_rev')], [generation, '1'])
    at.write('mcp.config.ts', `export default { plugins: [{ use: './a', as: 'other' }] }`)
    await at.lines.next(({ event }) => event === 'config_loaded')
    assert.equal(await at.call('other_rev'), '1')
  })

test('shows no secret that a config prints or throws', async (t) => {
  const secret = 'sk-abcdefghijklmnop'
  const at = await reloading(t, { ...files, '.env': `A_TOKEN=${secret}\n` })
  at.write('mcp.config.ts', config(`console.log(process.env.A_TOKEN)\nthrow new Error('token ' + process.env.A_TOKEN)`))
  const refused = await at.lines.next(({ event }) => event === 'config_refused')
  assert.match(String(refused['reason']), /token /)
  assert.ok(!JSON.stringify(at.lines.all).includes(secret))
})
