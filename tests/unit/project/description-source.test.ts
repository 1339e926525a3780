import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { readDescription, specifierFor } from '../../../host/src/project/descriptions/description-source.ts'

const folder = mkdtempSync(join(tmpdir(), 'patchbay-descriptions-'))
after(() => rmSync(folder, { recursive: true }))
const read = (document: object, file = 'pets.json') => {
  writeFileSync(join(folder, file), JSON.stringify(document))
  return readDescription(file, folder)
}
const v3 = (servers?: unknown, info?: object) => ({ openapi: '3.1.0', info, servers })
const url = (text: string, variables?: object) => [{ url: text, variables }]

const SERVERS: readonly (readonly [object, string | undefined])[] = [
  [v3(url('https://pets.example/v1/')), 'https://pets.example/v1'],
  [v3([...url('/v1'), ...url('https://pets.example')]), 'https://pets.example'],
  [v3(url('https://{region}.pets.example', { region: { default: 'eu' } })), 'https://eu.pets.example'],
  [v3(url('https://{region}.pets.example')), undefined],
  [v3(url('ftp://pets.example')), undefined],
  [v3('none'), undefined],
  [{ ...v3(), paths: { '/a': { servers: url('https://pets.example/v3') } } }, 'https://pets.example/v3'],
  [{ swagger: '2.0', host: 'pets.example', basePath: '/v2' }, 'https://pets.example/v2'],
  [{ swagger: '2.0', host: 'pets.example', schemes: ['http'] }, 'http://pets.example'],
  [{ swagger: '2.0', basePath: '/v2' }, undefined],
]

test('the API is where the first server is that has a whole address', async () => {
  for (const [document, server] of SERVERS) assert.equal((await read(document)).server, server, JSON.stringify(document))
})

test('the name is that of the file, or of the API where every file is called so', async () => {
  const nameOf = async (file: string, title?: string) => (await read(v3([], { title }), file)).name
  assert.equal(await nameOf('GitHub-v3.yaml', 'Other'), 'github_v3')
  for (const file of ['openapi.yaml', 'swagger.json', 'api.json', 'v2.json', 'openapi-3.1.json'])
    assert.equal(await nameOf(file, 'Pet Store'), 'pet_store', file)
  assert.equal(await nameOf('openapi.yaml'), undefined)
  assert.equal(await nameOf('2.json', '42'), undefined)
})

test('an entry names a file beside the config, or the address', () => {
  const use = (place: string) => specifierFor({ place, isAddress: place.startsWith('https:') }, folder)
  assert.equal(use(join(folder, 'apis/pets.yaml')), 'openapi:./apis/pets.yaml')
  assert.equal(use(join(folder, '../pets.yaml')), 'openapi:../pets.yaml')
  assert.equal(use('https://pets.example/openapi.json'), 'openapi:https://pets.example/openapi.json')
})

test('a description at an address is read from there, with servers that are relative to it; what is none is refused', async () => {
  const server = createServer(({ url: path }, response) => {
    if (path === '/absent.json') response.writeHead(404)
    response.end(path === '/text' ? 'hello' : JSON.stringify(v3(url('/v1'), { title: 'Pets' })))
  }).listen(0, '127.0.0.1')
  await new Promise((resolve) => void server.once('listening', resolve))
  const address = server.address()
  assert.ok(typeof address === 'object' && address !== null)
  const base = `http://127.0.0.1:${address.port}`
  try {
    const found = await readDescription(`${base}/openapi.json`, folder)
    assert.deepEqual(found, { place: `${base}/openapi.json`, isAddress: true, server: `${base}/v1`, name: 'pets' })
    await assert.rejects(readDescription(`${base}/absent.json`, folder), { code: 'INSTALL_SPEC', message: /answered 404/ })
    await assert.rejects(readDescription(`${base}/text`, folder), { code: 'INSTALL_SPEC', message: /not an OpenAPI description/ })
    await assert.rejects(readDescription('http://pets.example/a.json', folder), { code: 'INSTALL_SPEC', message: /https:/ })
    await assert.rejects(readDescription('', folder), { code: 'INSTALL_SPEC' })
  } finally {
    server.close()
  }
})
