import { definePlugin, defineTool, Type } from '@mcp-patchbay/plugin-api'

const peopleGreet = defineTool({
  name: 'people_greet',
  description: 'Greet a person by name. Returns the greeting as Markdown.',
  access: 'read',
  input: Type.Object({ name: Type.String({ minLength: 1, description: 'The name of the person' }) }),
  run: ({ name }, { config }) => `**${String(config['greeting'])}, ${name}!**`,
})

export default definePlugin({
  name: 'hello',
  // HELLO_GREETING in the environment, or HELLO_GREETING_FILE with the path of a file that holds it.
  config: Type.Object({ greeting: Type.String({ default: 'Hello' }) }),
  isAuthConfigured: () => true,
  createClient: () => ({}),
  tools: [peopleGreet],
})
