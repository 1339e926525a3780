import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  cannotAsk,
  capabilitiesAt,
  contentsAt,
  itemsAt,
  knows,
  messagesAt,
  resultAt,
  revisionOf,
  viewAt,
  type Revision,
} from '../../../host/src/server/mcp/revisions.ts'

const ALL = ['2024-11-05', '2025-03-26', '2025-06-18', '2025-11-25', '2026-07-28'] as const

test('a client speaks the revision that it names; one that names none, or another, that of March 2025', () => {
  for (const revision of ALL) assert.equal(revisionOf(revision), revision)
  assert.equal(revisionOf('2024-10-07'), '2024-11-05')
  for (const other of [undefined, null, '', '2026-07-29', '2025', 7, 'DRAFT'])
    assert.equal(revisionOf(other), '2025-03-26', String(other))
})

/** Which revisions have it, the oldest first. */
test('each part of the protocol is there from the revision that brought it', () => {
  for (const [feature, table] of [
    ['audio', [false, true, true, true, true]],
    ['toolAnnotations', [false, true, true, true, true]],
    ['progressMessage', [false, true, true, true, true]],
    ['resourceLink', [false, false, true, true, true]],
    ['structured', [false, false, true, true, true]],
    ['title', [false, false, true, true, true]],
    ['meta', [false, false, true, true, true]],
    ['lastModified', [false, false, true, true, true]],
    ['elicitation', [false, false, true, true, true]],
    ['icons', [false, false, false, true, true]],
    ['urlElicitation', [false, false, false, true, true]],
    ['samplingTools', [false, false, false, true, true]],
  ] as const)
    assert.deepEqual(
      ALL.map((revision) => knows(revision, feature)),
      table,
      feature,
    )
})

/** The same at each revision, the oldest first. */
const at = <Result>(of: (revision: Revision) => Result) => ALL.map(of)

const tool = { name: 'a', description: 'b', inputSchema: {}, outputSchema: {}, annotations: {}, title: 't', _meta: {}, icons: [] }
const oldest = { name: 'a', description: 'b', inputSchema: {} }
const june = { ...oldest, outputSchema: {}, annotations: {}, title: 't', _meta: {} }

test('an item of a list has the fields that the revision knows', () => {
  assert.deepEqual(
    at((revision) => itemsAt([tool], revision)[0]),
    [oldest, { ...oldest, annotations: {} }, june, tool, tool],
  )
  assert.equal(itemsAt([oldest], '2024-11-05')[0], oldest, 'one without them is the same')
})

test('a view at a revision has all of its lists so, and is made once', () => {
  const view = { tools: [tool], prompts: [tool], resources: [tool], templates: [tool], instructions: 'i' } as never
  const lists = (revision: Revision) => {
    const { tools, prompts, resources, templates, ...rest } = viewAt(view, revision) as never as Record<string, unknown>
    return [tools, prompts, resources, templates, rest]
  }
  assert.deepEqual(lists('2024-11-05'), [[oldest], [oldest], [oldest], [oldest], { instructions: 'i' }])
  assert.deepEqual(lists('2025-06-18'), [[june], [june], [june], [june], { instructions: 'i' }])
  for (const revision of ['2025-11-25', '2026-07-28'] as const) assert.equal(viewAt(view, revision), view)
  assert.equal(viewAt(view, '2024-11-05'), viewAt(view, '2024-11-05'))
  assert.notEqual(viewAt(view, '2024-11-05'), viewAt(view, '2025-03-26'))
})

const contentOf = (item: object, revision: Revision) => resultAt({ content: [item as never] }, revision).content[0]
const repeat = (times: number, value: unknown) => Array.from({ length: times }, () => value)

test('content that a revision lacks is text that says it', () => {
  const link = { type: 'resource_link', uri: 'a://b', name: 'n[1]', description: 'd' }
  const linkText = { type: 'text', text: String.raw`[n\[1\]](a://b): d` }
  assert.deepEqual(
    at((revision) => contentOf(link, revision)),
    [linkText, linkText, link, link, link],
  )
  assert.deepEqual(contentOf({ ...link, title: 't', description: undefined }, '2024-11-05'), { type: 'text', text: '[t](a://b)' })
  const audio = { type: 'audio', data: 'AAAA', mimeType: 'audio/ogg' }
  const audioText = {
    type: 'text',
    text: "[audio, audio/ogg, 3 bytes: not sent, since the client's revision of the protocol has no audio]",
  }
  assert.deepEqual(
    at((revision) => contentOf(audio, revision)),
    [audioText, ...repeat(4, audio)],
  )
  const image = { type: 'image', data: 'AAAA', mimeType: 'image/png' }
  assert.deepEqual(
    at((revision) => contentOf(image, revision)),
    repeat(5, image),
  )
})

test('content keeps its annotations but for what a revision lacks of them, also where it became text', () => {
  const older = { audience: ['user'], priority: 1 }
  const annotations = { ...older, lastModified: '2026-01-01' }
  const text = { type: 'text', text: 'a' }
  assert.deepEqual(
    at((revision) => contentOf({ ...text, annotations }, revision)),
    [...repeat(2, { ...text, annotations: older }), ...repeat(3, { ...text, annotations })],
  )
  assert.deepEqual(
    at((revision) => contentOf({ ...text, annotations: older }, revision)),
    repeat(5, { ...text, annotations: older }),
  )
  const audio = { type: 'audio', data: '', mimeType: 'audio/ogg', annotations: older }
  assert.deepEqual((contentOf(audio, '2024-11-05') as { annotations?: unknown }).annotations, older)
  const meta = { ...text, _meta: { a: 1 } }
  assert.deepEqual(
    at((revision) => contentOf(meta, revision)),
    [text, text, meta, meta, meta],
  )
})

test('what is embedded or was read has meta where the revision has it', () => {
  const resource = { uri: 'a://b', text: 'c', _meta: { d: 1 } }
  const { _meta, ...plain } = resource
  assert.deepEqual(
    at((revision) => contentsAt([resource], revision)[0]),
    [plain, plain, resource, resource, resource],
  )
  const embedded = { type: 'resource', resource }
  assert.deepEqual(
    at((revision) => contentOf(embedded, revision)),
    [plain, plain, resource, resource, resource].map((one) => ({ type: 'resource', resource: one })),
  )
})

test('a result has what is structured where the revision knows it, and everything else as it was', () => {
  const content = [{ type: 'text' as const, text: '{}' }]
  const whole = { content, structuredContent: { a: 1 }, isError: true as const, _meta: { b: 2 } }
  const { structuredContent: _, ...without } = whole
  assert.deepEqual(
    at((revision) => resultAt(whole, revision)),
    [without, without, whole, whole, whole],
  )
  assert.deepEqual(
    at((revision) => resultAt({ content }, revision)),
    repeat(5, { content }),
  )
})

test('the messages of a prompt have content that the revision knows', () => {
  const message = { role: 'user' as const, content: { type: 'resource_link' as const, uri: 'a://b', name: 'n' } }
  const text = { role: 'user', content: { type: 'text', text: '[n](a://b)' } }
  assert.deepEqual(
    at((revision) => messagesAt([message], revision)[0]),
    [text, text, message, message, message],
  )
})

test('a client can do what its revision has words for', () => {
  const capabilities = { roots: { listChanged: true }, elicitation: { form: {}, url: {} }, sampling: { tools: {} } }
  const { elicitation: _, ...old } = { ...capabilities, sampling: {} }
  assert.deepEqual(
    at((revision) => capabilitiesAt(capabilities, revision)),
    [old, old, { ...old, elicitation: {} }, capabilities, capabilities],
  )
  assert.deepEqual(
    at((revision) => capabilitiesAt({ roots: {} }, revision)),
    repeat(5, { roots: {} }),
  )
  assert.deepEqual(
    at((revision) => capabilitiesAt(undefined, revision)),
    repeat(5, undefined),
  )
})

test('a client is asked what its revision has', () => {
  const no = (revision: string, what: string) => `revision ${revision} of the protocol has no ${what}`
  const asked = (method: string, params: object) => at((revision) => cannotAsk({ method, params } as never, revision))
  const [first, second, third] = ALL
  const noForm = [first, second].map((revision) => no(revision, 'elicitation'))
  assert.deepEqual(asked('elicitation/create', {}), [...noForm, undefined, undefined, undefined])
  assert.deepEqual(asked('elicitation/create', { mode: 'form' }), [...noForm, undefined, undefined, undefined])
  assert.deepEqual(asked('elicitation/create', { mode: 'url' }), [
    ...noForm,
    no(third, 'elicitation by URL'),
    undefined,
    undefined,
  ])
  assert.deepEqual(asked('sampling/createMessage', {}), repeat(5, undefined))
  for (const params of [{ tools: [] }, { toolChoice: {} }])
    assert.deepEqual(asked('sampling/createMessage', params), [
      ...[first, second, third].map((revision) => no(revision, 'tools for sampling')),
      undefined,
      undefined,
    ])
  assert.deepEqual(asked('roots/list', { tools: [] }), repeat(5, undefined))
})
