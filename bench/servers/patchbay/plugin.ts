import { definePlugin, defineTool, Type } from '@mcp-patchbay/plugin-api'

const count = Number(process.env['FILLERS'] ?? 10) / Number(process.env['PLUGINS'] ?? 1)
const search = Type.Object(
  {
    project: Type.String({ minLength: 1, maxLength: 64, description: 'The key of the project, for example "ENG".' }),
    query: Type.String({ description: 'Free text, or a filter such as "state:open author:ada".' }),
    limit: Type.Optional(
      Type.Integer({ minimum: 1, maximum: 100, default: 20, description: 'How many matches to return at most.' }),
    ),
    state: Type.Optional(Type.Enum(['open', 'closed', 'all'], { default: 'open', description: 'Which items to look at.' })),
    labels: Type.Optional(Type.Array(Type.String(), { description: 'Only items that carry all of these labels.' })),
    includeArchived: Type.Optional(Type.Boolean({ default: false, description: 'Whether archived projects count as well.' })),
  },
  { additionalProperties: false },
)

/** The same tools as the other servers', spread over as many plugins as PLUGINS says. */
export default definePlugin({
  name: 'bench',
  // What it offers depends on the environment: a start must not list what one with other settings kept.
  config: Type.Object({ offers: Type.Optional(Type.String()) }),
  isAuthConfigured: () => true,
  createClient: () => ({}),
  tools: [
    defineTool({
      name: 'echo',
      description: 'Returns the text unchanged.',
      access: 'read',
      input: Type.Object({ text: Type.String({ description: 'The text to return.' }) }, { additionalProperties: false }),
      run: ({ text }) => text,
    }),
    ...Array.from({ length: count }, (_, index) =>
      defineTool({
        name: `search_items_${index}`,
        description: `Searches the items of collection ${index} and returns a page of matches with their key, title and state.`,
        access: 'read',
        input: search,
        run: () => 'none',
      }),
    ),
  ],
})
