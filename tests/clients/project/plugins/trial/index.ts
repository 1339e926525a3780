import { appendFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { definePlugin, defineTool, Type } from '@mcp-patchbay/plugin-api'

/** Beside the config: not watched, so that writing it is no edit. */
const EVENTS = join(import.meta.dirname, '../../events.txt')
const tell = (event: string) => appendFileSync(EVENTS, `${event}\n`)

const wait = defineTool({
  name: 'call_wait',
  description: 'Waits, and says that it began and how it ended.',
  access: 'read',
  input: Type.Object({ key: Type.String(), ms: Type.Integer() }),
  async run({ key, ms }, { signal, progress }) {
    tell(`started ${key}`)
    try {
      progress(1, { total: 2, message: 'half' })
      await setTimeout(ms, undefined, { signal })
    } catch (error) {
      tell(`aborted ${key}`)
      throw error
    }
    return `waited for ${key}`
  },
})

const echo = defineTool({
  name: 'text_echo',
  description: 'Gives back its text.',
  access: 'read',
  input: Type.Object({ text: Type.String() }),
  run: ({ text }) => [
    { type: 'text' as const, text },
    { type: 'resource_link' as const, uri: 'https://example.com/report', name: 'report' },
  ],
})

const row = defineTool({
  name: 'row_get',
  description: 'An object.',
  access: 'read',
  input: Type.Object({}),
  output: Type.Object({ id: Type.Integer() }),
  run: () => ({ id: 7 }),
})

export default definePlugin({
  name: 'trial',
  description: 'What real clients try.',
  config: Type.Object({}),
  isAuthConfigured: () => true,
  createClient: () => ({}),
  tools: [wait, echo, row],
})
