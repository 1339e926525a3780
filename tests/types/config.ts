// What the compiler must accept and refuse of a config. `npm run types` compiles this file: an expected error that is gone is an error.
import { definePlugin, Secret, Type, type HttpClient } from '@mcp-patchbay/plugin-api'
import { defineConfig } from '../../host/src/config/file/define.ts'
import type { EmbeddedConfig } from '../../host/src/config/schema/schema.ts'

class Client {
  readonly http: HttpClient
  constructor(http: HttpClient) {
    this.http = http
  }
}

const plugin = definePlugin({
  name: 'mine',
  config: Type.Object({ apiUrl: Type.String(), token: Type.Optional(Secret()) }),
  isAuthConfigured: ({ token }) => token !== undefined,
  createClient: ({ http }) => new Client(http),
  tools: [],
})

export const embedded: EmbeddedConfig = {
  plugins: ['./a', { use: plugin, as: 'other', config: { apiUrl: 'x' } }],
  readOnly: true,
}

// Everything but `use` may be left out or undefined, and lists may be read-only.
const deny = ['issues_delete'] as const
defineConfig({})
defineConfig({ plugins: ['./a', { use: './b', tools: { deny } }], listen: { http: { port: 0, publicUrl: undefined } } })
defineConfig({
  listen: { http: true, management: false },
  deployments: { eu: { plugins: [{ as: 'b', version: '1.0.0' }], frozen: true } },
})
defineConfig({ tenants: { acme: { plugins: { b: { config: { apiUrl: 'y' } } }, readOnly: true } } })

// @ts-expect-error an entry says what it uses
defineConfig({ plugins: [{ as: 'a' }] })
// @ts-expect-error a config file holds data, not plugins
defineConfig({ plugins: [{ use: plugin }] })
// @ts-expect-error a slip in a key
defineConfig({ readonly: true })
// @ts-expect-error a slip in a key further down
defineConfig({ listen: { http: { prot: 3000 } } })
// @ts-expect-error a value that is not one of those listed
defineConfig({ plugins: [{ use: './a', isolation: 'worker' }] })
// @ts-expect-error elements of lists are whole
defineConfig({ auth: { inbound: { keys: [{ id: 'a' }] } } })
