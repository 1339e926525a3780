import assert from 'node:assert/strict'
import { test } from 'node:test'
import { rawClient } from '../fixtures/http/raw-client.ts'
import { RawSession } from '../fixtures/http/raw-session.ts'
import { replyOf } from '../fixtures/projects/host-under-test.ts'
import { pinnedProject } from '../fixtures/projects/pinned-project.ts'

const source = `import { definePlugin, definePrompt, defineResource, Type } from '@mcp-patchbay/plugin-api'
const cities = ['Paris', 'Parma', 'Rome']
const fits = ({ name, value, others }, { client, principal }) =>
  name === 'city' ? cities.filter((city) => city.startsWith(value)) : name === 'others' ? Object.entries(others).flat() : name === 'client' ? [client.name] : []
export default definePlugin({
  name: 'travel',
  config: Type.Object({}),
  isAuthConfigured: () => true,
  createClient: () => ({ name: 'the client' }),
  tools: [],
  prompts: [
    definePrompt({ name: 'plan', arguments: Type.Object({ city: Type.String() }), complete: fits, run: ({ city }) => city }),
    definePrompt({ name: 'who', arguments: Type.Object({ who: Type.String() }), complete: () => Array.from({ length: 250 }, (_, at) => 'n' + at), run: () => '' }),
    definePrompt({ name: 'plain', run: () => 'plain' }),
    definePrompt({ name: 'wrong', complete: () => [1, 2], run: () => '' }),
    definePrompt({ name: 'throws', complete: () => { throw new Error('secret path /etc') }, run: () => '' }),
  ],
  resources: [defineResource({ name: 'city', uri: 'travel://{city}/guide', complete: fits, read: (uri) => uri })],
})
`

for (const isolation of ['inline', 'process'] as const)
  test(`${isolation}: prompts and templates complete what is typed, in both eras`, async () => {
    using project = pinnedProject({ 'travel/index.js': source, 'travel/package.json': '{ "type": "module" }' })
    await using started = await project.start({
      plugins: [{ use: './travel', isolation }],
      auth: { inbound: { mode: 'none' } },
      frozen: false,
    })
    const { url } = await started.host.listen({ http: { port: 0 } })
    const session = await RawSession.open(new URL(url ?? ''))
    const ask = async (ref: object, argument: object, more: object = {}) => {
      const params = { ref, argument, ...more }
      const modern = replyOf(await rawClient(new URL(url ?? '')).post('completion/complete', params))
      const older = replyOf(await session.post('completion/complete', params))
      const completionIn = (reply: object) => Reflect.get(reply, 'completion') ?? Reflect.get(reply, 'error')
      const [one, other] = [modern, older].map((reply) => JSON.stringify(completionIn(reply)).replaceAll(/[0-9a-f-]{36}/g, 'id'))
      assert.equal(one, other, 'both eras')
      return completionIn(modern) as { values?: string[]; total?: number; hasMore?: boolean; message?: string }
    }
    const prompt = (name: string) => ({ type: 'ref/prompt', name: `travel_${name}` })
    assert.deepEqual(await ask(prompt('plan'), { name: 'city', value: 'Pa' }), {
      values: ['Paris', 'Parma'],
      total: 2,
      hasMore: false,
    })
    assert.deepEqual((await ask(prompt('plan'), { name: 'client', value: '' })).values, ['the client'])
    const context = { context: { arguments: { country: 'Italy' } } }
    assert.deepEqual((await ask(prompt('plan'), { name: 'others', value: '' }, context)).values, ['country', 'Italy'])
    const template = { type: 'ref/resource', uri: 'travel://{city}/guide' }
    assert.deepEqual((await ask(template, { name: 'city', value: 'R' })).values, ['Rome'])
    const many = await ask(prompt('who'), { name: 'who', value: '' })
    assert.deepEqual([many.values?.length, many.total, many.hasMore], [100, 250, true])
    assert.deepEqual((await ask(prompt('plain'), { name: 'x', value: '' })).values, [])
    assert.match((await ask(prompt('wrong'), { name: 'x', value: '' })).message ?? '', /something else than a list of texts/)
    assert.doesNotMatch((await ask(prompt('throws'), { name: 'x', value: '' })).message ?? '', /etc/)
    assert.match((await ask(prompt('nothing'), { name: 'x', value: '' })).message ?? '', /Unknown prompt/i)
  })
