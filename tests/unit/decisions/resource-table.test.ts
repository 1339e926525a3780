import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createResourceMetadata, resourceAt, resourceOf } from '../../../host/src/auth/inbound/metadata.ts'

const WELL_KNOWN = '/.well-known/oauth-protected-resource'

/** [the resource of the config, the path of a request, what a token for it names as its audience, the path of its document] */
const RESOURCES: readonly (readonly [string, string, string, string])[] = [
  ['https://h/mcp', '/mcp', 'https://h/mcp', '/mcp'],
  ['https://h/mcp', '/mcp/readonly', 'https://h/mcp/readonly', '/mcp/readonly'],
  ['https://h/mcp', '/mcp/x/a,b', 'https://h/mcp/x/a,b', '/mcp/x/a,b'],
  ['https://h/mcp', '/mcp/x/a/readonly', 'https://h/mcp/x/a/readonly', '/mcp/x/a/readonly'],
  ['https://h/mcp', '/sse', 'https://h/sse', '/sse'],
  ['https://h/mcp', '/sse/readonly', 'https://h/sse/readonly', '/sse/readonly'],
  ['https://h/mcp', '/messages', 'https://h/sse', '/sse'],
  ['https://h/mcp', '/messages/x/a', 'https://h/sse/x/a', '/sse/x/a'],
  ['https://h/mcp', '/other', 'https://h/mcp', '/mcp'],
  ['https://h/mcp', '/', 'https://h/mcp', '/mcp'],
  ['https://h/t/mcp', '/mcp', 'https://h/t/mcp', '/t/mcp'],
  ['https://h/t/mcp', '/mcp/readonly', 'https://h/t/mcp/readonly', '/t/mcp/readonly'],
  ['https://h/t/mcp', '/sse', 'https://h/t/sse', '/t/sse'],
  ['https://h', '/mcp', 'https://h', ''],
  ['https://h', '/mcp/readonly', 'https://h', ''],
  ['https://h/', '/sse', 'https://h/', ''],
  ['https://h/api', '/mcp/readonly', 'https://h/api', '/api'],
  ['https://h/mcp/', '/mcp/readonly', 'https://h/mcp/', '/mcp/'],
]
for (const [resource, path, audience, at] of RESOURCES)
  test(`${path} of ${resource} is the resource ${audience}`, () => {
    assert.equal(resourceOf(resource, path), audience)
    assert.equal(createResourceMetadata({ resource, issuers: [], scopes: [] }).urlOf(path), `https://h${WELL_KNOWN}${at}`)
  })

/** [the resource of the config, a path, the resource of the document there] */
const DOCUMENTS: readonly (readonly [string, string, string | undefined])[] = [
  ['https://h/mcp', WELL_KNOWN, 'https://h/mcp'],
  ['https://h/mcp', `${WELL_KNOWN}/mcp`, 'https://h/mcp'],
  ['https://h/mcp', `${WELL_KNOWN}/mcp/readonly`, 'https://h/mcp/readonly'],
  ['https://h/mcp', `${WELL_KNOWN}/sse`, 'https://h/sse'],
  ['https://h/mcp', `${WELL_KNOWN}/messages`, 'https://h/sse'],
  ['https://h/mcp', `${WELL_KNOWN}/`, undefined],
  ['https://h/mcp', `${WELL_KNOWN}/other`, undefined],
  ['https://h/mcp', `${WELL_KNOWN}/t/mcp`, undefined],
  ['https://h/mcp', `/x${WELL_KNOWN}/mcp`, undefined],
  ['https://h/mcp', '/mcp', undefined],
  ['https://h/mcp', '/.well-known/oauth-protected/resource/12/mcp', undefined],
  ['https://h/t/mcp', WELL_KNOWN, 'https://h/t/mcp'],
  ['https://h/t/mcp', `${WELL_KNOWN}/t/mcp`, 'https://h/t/mcp'],
  ['https://h/t/mcp', `${WELL_KNOWN}/t/mcp/readonly`, 'https://h/t/mcp/readonly'],
  ['https://h/t/mcp', `${WELL_KNOWN}/t/sse`, 'https://h/t/sse'],
  // A proxy may take the public path away.
  ['https://h/t/mcp', `${WELL_KNOWN}/mcp/readonly`, 'https://h/t/mcp/readonly'],
  ['https://h/t/mcp', `${WELL_KNOWN}/u/mcp`, undefined],
  ['https://h/t/mcp', `${WELL_KNOWN}/tt/mcp`, undefined],
  ['https://h/t/mcp', `${WELL_KNOWN}/t`, undefined],
  ['https://h/t/mcp/', `${WELL_KNOWN}/t/mcp/`, 'https://h/t/mcp/'],
  ['https://h/t/mcp/', `${WELL_KNOWN}/t/mcp/readonly`, 'https://h/t/mcp/'],
  ['https://h/mcp/api', `${WELL_KNOWN}/mcp/api`, 'https://h/mcp/api'],
  ['https://h/mcp/api', `${WELL_KNOWN}/mcp/api/sse`, 'https://h/mcp/api'],
  ['https://h/', WELL_KNOWN, 'https://h/'],
  ['https://h/', `${WELL_KNOWN}/mcp`, 'https://h/'],
  ['https://h/', `${WELL_KNOWN}/`, undefined],
]
for (const [resource, path, of] of DOCUMENTS)
  test(`the document of ${resource} at ${path} is that of ${of}`, () => {
    const text = createResourceMetadata({ resource, issuers: ['https://i', 'https://j'], scopes: ['a', 'b'] }).documentAt(path)
    assert.deepEqual(
      text === undefined ? undefined : JSON.parse(text),
      of && {
        resource: of,
        authorization_servers: ['https://i', 'https://j'],
        scopes_supported: ['a', 'b'],
        bearer_methods_supported: ['header'],
      },
    )
  })

test('a document names no scopes where there are none', () => {
  const text = createResourceMetadata({ resource: 'https://h/mcp', issuers: ['https://i'], scopes: [] }).documentAt(WELL_KNOWN)
  assert.equal(text, '{"resource":"https://h/mcp","authorization_servers":["https://i"],"bearer_methods_supported":["header"]}')
})

for (const [publicUrl, expected] of [
  ['https://h', 'https://h/mcp'],
  ['https://h/', 'https://h/mcp'],
  ['https://h/mcp', 'https://h/mcp'],
  ['https://h/t', 'https://h/t/mcp'],
  ['https://h/t/', 'https://h/t/mcp'],
  ['https://h/t/mcp', 'https://h/t/mcp'],
  ['https://h:8443/t', 'https://h:8443/t/mcp'],
  ['https://h/mcp/api', 'https://h/mcp/api/mcp'],
  ['https://h/mcp/', 'https://h/mcp/mcp'],
] as const)
  test(`a server at ${publicUrl} is the resource ${expected}`, () => assert.equal(resourceAt(publicUrl), expected))
