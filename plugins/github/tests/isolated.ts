import { join } from 'node:path'
import { ServiceError, type HttpClient, type Principal, type ServicePlugin } from '@mcp-patchbay/plugin-api'
import { fakeCache, fakeLog } from '@mcp-patchbay/plugin-api/testing'
import { readPluginConfig } from '../../../host/src/config/plugin/plugin-environment.ts'
import { createValidators } from '../../../host/src/data/schema/validate.ts'
import { noCapabilities } from '../../../host/src/pin/capabilities.ts'
import { createIsolation } from '../../../host/src/plugin/isolate/isolation.ts'
import { checkPlugin } from '../../../host/src/plugin/source/check-contract.ts'
import { readSurface } from '../../../host/src/plugin/source/describe-surface.ts'
import { createMetrics } from '../../../host/src/observability/metrics.ts'

/** The plugin in a process of its own, called as a host calls it. */
export interface Isolated extends AsyncDisposable {
  call(tool: string, input: Readonly<Record<string, unknown>>): Promise<string>
}

const root = join(import.meta.dirname, '..')
const principal: Principal = { id: 'local', tenant: undefined, permissions: ['*'], kind: 'local' }

/** The plugin as its process describes it to the host, which has none of its code. */
export async function describedByItsProcess(): Promise<ServicePlugin> {
  const { isolation, loaded } = await load()
  using _ = isolation
  return checkPlugin(loaded.exported, undefined, 'github').plugin
}

/** Runs the plugin in a process; its requests go out through `http`. */
export async function isolate(config: Readonly<Record<string, unknown>>, http: HttpClient & AsyncDisposable): Promise<Isolated> {
  const { isolation, loaded, log } = await load()
  const { plugin } = checkPlugin(loaded.exported, undefined, 'github')
  const surface = readSurface(plugin)
  const read = readPluginConfig({ schema: surface.config, instance: 'github', inline: config, env: {} })
  if (!read.ok) throw new Error(read.problems.join('; '))
  if (!(await loaded.isAuthConfigured(plugin, read.config))) throw new Error('No credential is configured')
  const running = await loaded.start({
    instance: 'github',
    plugin,
    surface,
    config: read.config,
    http,
    log,
    metrics: createMetrics().forPlugin('github'),
    cache: { namespace: () => fakeCache() },
    digest: '',
  })
  const validators = createValidators()
  return {
    async call(name, input) {
      const tool = surface.tools.find((one) => one.name === name)
      const problems = tool && validators.validator(tool.wire.inputSchema)(input)
      if (problems) throw new ServiceError('INVALID_INPUT', problems.join('; '))
      const result = await running.callTool(name, input, {
        requestId: 'test',
        principal,
        signal: new AbortController().signal,
        credentials: undefined,
        inputResponses: undefined,
        clientCapabilities: {},
        requestState: undefined,
        progress() {},
        log() {},
        closeStream() {},
      })
      return result as string
    },
    async [Symbol.asyncDispose]() {
      await running[Symbol.asyncDispose]()
      isolation[Symbol.dispose]()
    },
  }
}

async function load() {
  const log = fakeLog()
  const isolation = createIsolation({ log, now: () => performance.now(), random: Math.random })
  const loaded = await isolation.load(
    { source: 'path', file: join(root, 'index.ts'), root },
    {
      label: 'github',
      timeoutMs: 120_000,
      digests: new Map(),
      signal: undefined,
      capabilities: noCapabilities,
      configDir: root,
      env: {},
      limits: { heapMb: 256, answerBytes: 1_048_576, memoryMb: 512, idleMs: 0 },
    },
  )
  return { isolation, loaded, log }
}
