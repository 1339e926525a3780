/** A plugin whose tools have every kind of argument, tell progress, ask, and draw. `menu` describes one of them. */
export function teaPlugin({ menu = 'Reads the menu.', more = '' }: { menu?: string; more?: string } = {}): string {
  return `import { definePlugin, definePrompt, defineResource, defineTool, elicit, inputRequired, toolResult, Type } from '@mcp-patchbay/plugin-api'
${more}
const Node = { $ref: '#/$defs/node' }
const echo = defineTool({
  name: 'order_echo', description: 'Says what it was given. <img src=x onerror="window.evil=1">\\u200b', access: 'write',
  input: Type.Unsafe({
    type: 'object',
    required: ['table', 'cups', 'guest', 'kinds'],
    additionalProperties: false,
    properties: {
      table: { type: 'string', minLength: 1, pattern: '^[a-z]+$', description: 'Where it is brought' },
      cups: { type: 'integer', minimum: 1, maximum: 12, default: 2 },
      iced: { type: 'boolean' },
      size: { enum: ['small', 'large'] },
      guest: { type: 'object', required: ['name'], properties: { name: { type: 'string' }, vip: { type: 'boolean', default: false } } },
      kinds: { type: 'array', minItems: 1, items: { type: 'object', required: ['kind'], properties: { kind: { enum: ['green', 'black'] }, grams: { type: 'number' } } } },
      payment: { oneOf: [
        { title: 'Card', type: 'object', required: ['by', 'number'], properties: { by: { const: 'card' }, number: { type: 'string' } } },
        { title: 'Cash', type: 'object', required: ['by'], properties: { by: { const: 'cash' } } },
      ] },
      days: { type: 'array', uniqueItems: true, items: { enum: ['mon', 'tue'] } },
      note: { type: ['string', 'null'] },
      extra: {},
      tree: Node,
    },
    $defs: { node: { type: 'object', properties: { name: { type: 'string' }, below: { type: 'array', items: Node } } } },
  }),
  run: (input) => JSON.stringify(input),
})
const brew = defineTool({
  name: 'cup_brew', description: 'Brews a cup, after it asked which.', access: 'write', interactive: true,
  input: Type.Object({}),
  run: async (_, { inputResponses, progress, signal }) => {
    const answer = inputResponses?.['kind']
    if (!answer) return inputRequired({ requests: { kind: elicit('Which tea?', { type: 'object', required: ['tea'], properties: { tea: { type: 'string', enum: ['green', 'black'] } } }) } })
    if (answer.action !== 'accept') return 'No tea then.'
    progress(1, { total: 3, message: 'boiling' })
    await new Promise((resolve) => { globalThis.teaIsReady = resolve; signal.addEventListener('abort', resolve) })
    return 'A cup of ' + String(answer.content?.['tea'])
  },
})
const pour = defineTool({ name: 'cup_pour', description: 'Ends what brews.', access: 'read', input: Type.Object({}), run: () => { globalThis.teaIsReady?.(); return 'poured' } })
const menu = defineTool({
  name: 'menu_get', description: ${JSON.stringify(menu)}, access: 'read', input: Type.Object({ season: Type.Optional(Type.String()) }),
  output: Type.Object({ teas: Type.Array(Type.String()) }), run: () => ({ teas: ['green', 'black'] }),
})
const picture = defineTool({
  name: 'menu_picture', description: 'Draws the menu.', access: 'read', input: Type.Object({}),
  run: () => toolResult({ content: [{ type: 'image', mimeType: 'image/png', data: 'iVBORw0KGgoAAAANSUhEUgAAAAUAAAAFCAYAAACNbyblAAAAHElEQVQI12P4//8/w38GIAXDIBKE0DHxgljNBAAO9TXL0Y4OHwAAAABJRU5ErkJggg==' }] }),
})
const invite = definePrompt({
  name: 'invite_write', description: 'Writes an invitation.', arguments: Type.Object({ guest: Type.String({ description: 'Who comes' }), tea: Type.Optional(Type.String()) }),
  run: ({ guest, tea }) => [{ role: 'user', content: { type: 'text', text: 'Invite ' + guest + ' to ' + (tea ?? 'tea') } }, { role: 'assistant', content: { type: 'text', text: 'With pleasure.' } }],
})
const card = defineResource({ name: 'card', uri: 'tea://card', mimeType: 'text/plain', read: () => 'green\\u200b, black' })
const leaf = defineResource({ name: 'leaf', uri: 'tea://leaves/{kind}', mimeType: 'application/json', read: (_, { kind }) => JSON.stringify({ kind }) })
export default definePlugin({ name: 'tea', config: Type.Object({}), isAuthConfigured: () => true, createClient: () => ({}), tools: [echo, brew, pour, menu, picture], prompts: [invite], resources: [card, leaf] })
`
}
