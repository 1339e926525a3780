import { definePlugin, defineTool, Type } from '@mcp-patchbay/plugin-api'

// Clients see it as hello_people_greet.
const peopleGreet = defineTool({
  name: 'people_greet',
  title: 'Greet a person',
  description: 'Greet a person by name. Returns the greeting as Markdown.',
  access: 'read', // or 'write': hidden and refused in read-only mode
  tags: ['people'],
  input: Type.Object({ name: Type.String({ minLength: 1, description: 'The name of the person' }) }),
  run: ({ name }, { config }) => `**${String(config['greeting'])}, ${name}!**`,
})

export default definePlugin({
  name: 'hello',
  description: 'Greets people',
  // HELLO_GREETING in the environment or in .env
  config: Type.Object({ greeting: Type.String({ default: 'Hello', description: 'What it says before the name' }) }),
  isAuthConfigured: () => true,
  createClient: () => ({}),
  tools: [peopleGreet],
})
