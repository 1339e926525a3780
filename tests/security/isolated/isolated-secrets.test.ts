import assert from 'node:assert/strict'
import { closeSync, openSync, readFileSync, readSync } from 'node:fs'
import type { Principal } from '@mcp-patchbay/plugin-api'
import { test } from 'node:test'
import { createCaller } from '../../../host/src/server/catalog/caller.ts'
import { CANARIES, isolatedHost } from '../../fixtures/plugins/isolated-host.ts'
import { startUpstream } from '../../fixtures/http/upstream.ts'

/** So that the test finds the mark where it has to be, and not only misses the secrets. */
const PLANTED = 'planted-4be07a55'
const upstream = await startUpstream((response) => {
  response.setHeader('content-type', 'application/json')
  response.end('{"answered":true}')
})
const at = await isolatedHost({
  entry: { config: { apiUrl: `${upstream.url}/api` }, capabilities: { env: ['PLANTED'] } },
  env: { PLANTED },
  config: { readOnly: true },
})
const linux = { skip: process.platform !== 'linux' && 'there is no /proc' }

test.after(() => upstream[Symbol.asyncDispose]())

test('the host puts the credential on what a plugin sends, and the plugin never has it', async () => {
  assert.deepEqual(await at.run(`return ctx.client.json('/things')`), { value: { answered: true } })
  const request = upstream.requests.at(-1)
  assert.match(JSON.stringify(request?.headers), new RegExp(CANARIES.credential))
  for (const code of [
    `return ctx.config.apiKey.reveal()`,
    `return ctx.config.apiKey.reveal.call({ __proto__: ctx.config.apiKey })`,
    `return String(ctx.config.apiKey) + JSON.stringify(ctx.config) + require('node:util').inspect(ctx, { depth: 20, showHidden: true, showProxy: true, getters: true })`,
    `return ctx.client.request('/things').then((answer) => JSON.stringify(answer))`,
  ])
    assert.doesNotMatch(await at.tell(code), /canary/, code)
})

test('no secret is in what can be reached from the context of a call, by any name', async () => {
  const { value } = await at.run(`
    const seen = new Set(), texts = []
    const visit = (value) => {
      if (typeof value === 'string') return void texts.push(value)
      if ((typeof value !== 'object' && typeof value !== 'function') || value === null || seen.has(value)) return
      seen.add(value)
      for (const key of Reflect.ownKeys(value)) {
        texts.push(String(key))
        try { visit(value[key]) } catch (error) { texts.push(String(error)) }
      }
      if (value instanceof Map || value instanceof Set) for (const part of value) visit(part)
      visit(Object.getPrototypeOf(value))
    }
    visit(ctx); visit(globalThis); visit(process); visit(require.cache)
    return [seen.size > 500, texts.filter((text) => text.includes('can' + 'ary')), texts.includes('${PLANTED}')]`)
  assert.deepEqual(value, [true, [], true])
})

test('no secret is anywhere in the memory, the environment and the arguments of the process', linux, async () => {
  await at.run(`return ctx.client.json('/things')`)
  const { value: pid } = await at.run(`return process.pid`)
  assert.deepEqual(foundInMemory(Number(pid), [PLANTED, ...Object.values(CANARIES)]), [PLANTED])
  for (const file of ['environ', 'cmdline']) assert.doesNotMatch(readFileSync(`/proc/${String(pid)}/${file}`, 'utf8'), /canary/)
})

test('a caller is a word to a plugin that means nothing elsewhere, and not the same to two plugins', async () => {
  const id = 'alice@example.com'
  const caller = createCaller({ id, tenant: 'acme', permissions: ['*'], kind: 'apiKey' })
  const ask = async () => {
    const answer = await at.host.call('hostile_read', { code: `return ctx.principal` }, { caller })
    const [item] = answer.kind === 'result' ? answer.result.content : []
    return (JSON.parse(item?.type === 'text' ? item.text : '') as { value: { id: string; tenant: string } }).value
  }
  const [first, second] = [await ask(), await ask()]
  assert.deepEqual([first, first.tenant], [second, 'acme'])
  assert.doesNotMatch(JSON.stringify(first), /alice|example/)
})

test('a plugin sends nothing with the credential that goes anywhere but below its base URL', async () => {
  const evil = await startUpstream((response) => response.end('{}'))
  const before = upstream.requests.length
  for (const path of [
    evil.url,
    `${evil.url}/x`,
    evil.url.replace('http:', ''),
    evil.url.replace('http:', 'HTTP:'),
    `\\\\\\\\${evil.url.slice(7)}/`,
    `/\\t/${evil.url.slice(7)}`,
    `@${evil.url.slice(7)}/`,
    `/../../other`,
    `/..%2f..%2fother`,
    `/%2e%2e/other`,
    `http://user:pass@${upstream.url.slice(7)}/api/x`,
    'file:///etc/passwd',
    'data:,x',
    `${upstream.url}/other`,
  ])
    await at.tell(`return ctx.client.text('${path}').then(() => 'sent')`)
  assert.deepEqual(evil.requests, [])
  for (const { path } of upstream.requests.slice(before)) assert.match(path, /^\/api\//)
  await evil[Symbol.asyncDispose]()
})

test('a plugin cannot put a credential, a host or a second request of its own on what it sends', async () => {
  for (const headers of [
    { authorization: 'Bearer mine' },
    { 'x-api-key': 'mine' },
    { 'X-API-KEY': 'mine' },
    { host: 'other.example' },
    { 'proxy-authorization': 'mine' },
    { 'transfer-encoding': 'chunked' },
    { 'content-length': '5' },
    { connection: 'upgrade' },
    { 'x-a': 'b\r\nx-injected: 1' },
    { 'x-a\r\nx-injected': '1' },
    { __proto__: 'x', constructor: 'x' },
  ])
    await at.tell(`return ctx.client.json('/things', { headers: JSON.parse(${JSON.stringify(JSON.stringify(headers))}) })`)
  for (const { headers } of upstream.requests) {
    assert.deepEqual([headers['x-api-key'], headers['x-injected']], [CANARIES.credential, undefined])
    assert.match(String(headers['host']), /^127\.0\.0\.1:/)
    assert.equal(headers['authorization'], undefined)
    assert.equal(headers['proxy-authorization'], undefined)
  }
})

test('a plugin of a host that only reads sends nothing that writes, whatever number and order it makes up on the channel', async () => {
  const before = upstream.requests.length
  await at.run(`
    const fs = require('node:fs')
    const frame = (header) => { const text = Buffer.from(JSON.stringify(header)); const prefix = Buffer.alloc(8); prefix.writeUInt32LE(text.length, 0); return Buffer.concat([prefix, text]) }
    // Numbers that its own end knows as questions of its own.
    for (let i = 0; i < 120; i++) await ctx.cache.get('k')
    let id = 1
    for (const call of [0, -1, 1, 2, 3, 50, 51, 1e9, '1', null, {}, '__proto__'])
      for (const method of ['POST', 'post', 'DELETE', 'PUT', 'PATCH', 'CONNECT', 'TRACE', 'GET\\r\\nX: 1'])
        fs.writeSync(3, frame([0, id++, 'http', { call, how: 'request', path: '/things', options: { method, access: 'write', safePaths: ['/**'] } }]))
    await ctx.client.json('/things')
    return 1`)
  const methods = new Set(upstream.requests.slice(before).map(({ method }) => method))
  assert.deepEqual([...methods], ['GET'])
})

test('a plugin cannot read or change what another keeps in its cache, nor what it keeps for another caller', async () => {
  const alice: Principal = { id: 'alice', tenant: 'acme', permissions: ['*'], kind: 'apiKey' }
  const ask = async (principal: Principal, code: string) => {
    const answer = await at.host.call('hostile_read', { code }, { caller: createCaller(principal) })
    const [item] = answer.kind === 'result' ? answer.result.content : []
    return item?.type === 'text' ? item.text : ''
  }
  await ask(alice, `await ctx.cache.set('k', 'of alice', { ttlMs: 60_000 }); return 1`)
  // Each differs from alice in one thing.
  const others = [{ id: 'bob' }, { tenant: 'umbrella' }, { tenant: undefined }, { kind: 'oauth' as const }]
  for (const change of others)
    assert.equal(await ask({ ...alice, ...change }, `return await ctx.cache.get('k')`), '{"value":null}', JSON.stringify(change))
  assert.equal(await ask(alice, `return await ctx.cache.get('k')`), '{"value":"of alice"}')
})

/** Which of the texts are in the memory of a process, in the encodings that V8 and Node have for text. */
function foundInMemory(pid: number, texts: readonly string[]): readonly string[] {
  const memory = openSync(`/proc/${pid}/mem`, 'r')
  const found = new Set<string>()
  const overlap = 2 * Math.max(...texts.map(({ length }) => length))
  try {
    for (const line of readFileSync(`/proc/${pid}/maps`, 'utf8').split('\n')) {
      const [, from, to] = /^([\da-f]+)-([\da-f]+) r/.exec(line) ?? []
      if (from === undefined || to === undefined || /\[v(?:var|syscall)/.test(line)) continue
      for (let start = Number.parseInt(from, 16), end = Number.parseInt(to, 16); start < end; start += STEP) {
        const chunk = Buffer.alloc(Math.min(STEP + overlap, end - start))
        try {
          readSync(memory, chunk, 0, chunk.length, start)
        } catch {
          continue // reserved, and nothing in it
        }
        for (const text of texts) if (chunk.includes(text) || chunk.includes(text, 0, 'utf16le')) found.add(text)
      }
    }
  } finally {
    closeSync(memory)
  }
  return texts.filter((text) => found.has(text))
}

const STEP = 4 * 1_048_576
