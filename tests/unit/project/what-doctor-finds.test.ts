import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { test } from 'node:test'
import { resolveConfig } from '../../../host/src/config/file/resolve-config.ts'
import { projectId } from '../../../host/src/config/project-id.ts'
import { issuerFindings, portFindings } from '../../../host/src/project/doctor/machine-findings.ts'
import { pluginFindings } from '../../../host/src/project/doctor/plugin-findings.ts'
import { runningHost } from '../../../host/src/project/doctor/running-host.ts'
import type { Host } from '../../../host/src/types.ts'

/** A host with one plugin in this state. */
const hostWith = (plugin: { state: string; reason?: object; reloadError?: object }): Host =>
  ({
    list: () => ({ plugins: [{ name: 'a', reason: null, reloadError: null, ...plugin }], warnings: [], ignored: [] }),
    snapshot: { plugins: [] },
  }) as never

const why = { message: 'broken', fix: ['fix it'] }
for (const [what, plugin, found] of [
  ['a plugin that serves', { state: 'active' }, []],
  ['one that waits to be called', { state: 'idle' }, []],
  ['one that failed', { state: 'failed', reason: why }, ['a is failed: broken']],
  ['one in quarantine', { state: 'quarantined', reason: why }, ['a is quarantined: broken']],
  ['one that serves what it was, since its reload failed', { state: 'active', reloadError: why }, ['a is active: broken']],
] as const)
  test(`doctor on ${what}: ${found.length === 0 ? 'nothing' : found[0]}`, () => {
    assert.deepEqual(
      pluginFindings(hostWith(plugin)).map(({ problem, cause }) => `${problem}: ${cause}`),
      found,
    )
  })

test('an issuer whose answer has no time, or one within half a minute, is no finding', async (t) => {
  const server = createServer((req, res) => {
    res.sendDate = false
    const offset = Number(req.url?.slice(1))
    if (!Number.isNaN(offset) && offset !== 0) res.setHeader('date', new Date(offset * 1_000).toUTCString())
    res.end()
  })
  await once(server.listen(0, '127.0.0.1'), 'listening')
  t.after(() => server.close())
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const issuers = [0, 1_030, 1_031, 969].map((second) => ({ issuer: `${origin}/${second}`, audience: 'x' }))
  const config = resolveConfig({})
  const found = await issuerFindings(
    { ...config, auth: { ...config.auth, inbound: { ...config.auth.inbound, oauth: { issuers } } } },
    () => 1_000_000,
  )
  assert.deepEqual(
    found.map(({ problem }) => problem),
    [`The clock of ${origin}/1031 is 31 s ahead of this machine's`, `The clock of ${origin}/969 is 31 s behind this machine's`],
  )
})

test('the ports of the host of this project are no finding; those of any other program are', async (t) => {
  const file = '/project/mcp.config.ts'
  const http = createServer()
  let about = ''
  const management = createServer((_req, res) => res.end(about))
  for (const server of [http, management]) {
    await once(server.listen(0, '127.0.0.1'), 'listening')
    t.after(() => server.close())
  }
  const [at = 0, managementAt = 0] = [http, management].map((server) => (server.address() as AddressInfo).port)
  const config = resolveConfig({ listen: { http: { port: at }, management: { port: managementAt } } })
  const own = { project: projectId(file), version: '1.2.3' }
  const url = `http://127.0.0.1:${at}/mcp`
  const both = ['listen.http', 'listen.management']
  for (const [said, found] of [
    [JSON.stringify({ ...own, url }), []],
    // It serves elsewhere (--port): another program has the port of the config.
    [JSON.stringify({ ...own, url: 'http://127.0.0.1:1/mcp' }), ['listen.http']],
    [JSON.stringify(own), ['listen.http']],
    [JSON.stringify({ url, project: projectId('/other/mcp.config.ts') }), both],
    [JSON.stringify({ url }), both],
    ['<html>', both],
    ['null', both],
  ] as const) {
    about = said
    const findings = await portFindings(config, await runningHost(config, file))
    assert.deepEqual(
      findings.map(({ problem }) => problem.split(' ')[0]),
      found,
      said,
    )
  }
  about = JSON.stringify({ ...own, url })
  assert.deepEqual(await runningHost(config, file), { management: `http://127.0.0.1:${managementAt}`, url, version: '1.2.3' })
  const anyPort = resolveConfig({ listen: { http: { port: 0 }, management: { port: 0 } } })
  assert.equal(await runningHost(anyPort, file), undefined)
})
