import type { Cache, HttpClient, Keep, Principal } from '../context.ts'
import type { InputResponses } from '../interactive.ts'
import type { LogFields, Logger, Metrics } from '../telemetry.ts'

/** What a test may put in the place of the host's own. Everything has a default. */
export interface Fakes {
  /** Strings stand for secrets. Defaults of the plugin's config schema apply. */
  readonly config?: Readonly<Record<string, unknown>>
  /** Usually `fakeHttp([…])`. Without it every request fails. */
  readonly http?: HttpClient
  /** Takes the place of what `createClient` would make; it is not disposed. */
  readonly client?: unknown
  readonly principal?: Principal
  readonly log?: Logger
  readonly cache?: Cache
  readonly keep?: Keep
  readonly signal?: AbortSignal
  /** The answers to `inputRequired`, for the second run of an interactive tool. */
  readonly inputResponses?: InputResponses
  readonly requestState?: unknown
  readonly clientCapabilities?: Readonly<Record<string, unknown>>
  readonly onProgress?: (progress: number, options?: { total?: number; message?: string }) => void
}

/** A caller who came in over OAuth and may do everything, unless told otherwise. */
export function fakePrincipal(overrides: Partial<Principal> = {}): Principal {
  return Object.freeze({ id: 'test-caller', tenant: undefined, permissions: ['*'], kind: 'oauth', ...overrides })
}

export interface LogLine {
  readonly level: 'debug' | 'info' | 'warn' | 'error'
  readonly event: string
  readonly fields: LogFields
}

export interface FakeLog extends Logger {
  /** Every line of this logger and its children, in order. */
  readonly lines: readonly LogLine[]
}

/** A logger that remembers its lines and prints none. */
export function fakeLog(): FakeLog {
  const lines: LogLine[] = []
  return { ...recorder(lines, {}), lines }
}

function recorder(lines: LogLine[], bound: LogFields): Logger {
  const write =
    (level: LogLine['level']) =>
    (event: string, fields: LogFields = {}) =>
      void lines.push({ level, event, fields: { ...bound, ...fields } })
  return {
    debug: write('debug'),
    info: write('info'),
    warn: write('warn'),
    error: write('error'),
    child: (fields) => recorder(lines, { ...bound, ...fields }),
  }
}

/**
 * Keeps handles as the host does for the versions of one plugin: hand the same one to several calls to test what a reload hands over. Nothing
 * of it is disposed.
 */
export function fakeKeep(): Keep {
  const handles = new Map<string, unknown>()
  return async (name, make) => {
    if (!handles.has(name)) handles.set(name, await make())
    return handles.get(name) as never
  }
}

/** A cache that keeps everything for as long as the test does. Hand the same one to several calls to test what they share. */
export function fakeCache(): Cache {
  const entries = new Map<string, string>()
  const loading = new Map<string, Promise<unknown>>()
  const read = (key: string): unknown => {
    const json = entries.get(key)
    return json === undefined ? undefined : JSON.parse(json)
  }
  const write = (key: string, value: unknown) => {
    const json: string | undefined = JSON.stringify(value)
    if (json === undefined) throw new TypeError(`The value of "${key}" is ${typeof value}, which JSON cannot hold`)
    entries.set(key, json)
  }
  return {
    get: async <Value>(key: string) => read(key) as Value | undefined,
    set: async (key, value) => write(key, value),
    delete: async (key) => void entries.delete(key),
    async wrap<Value>(key: string, _options: { ttlMs: number }, load: () => Promise<Value>) {
      if (entries.has(key)) return read(key) as Value
      const known = loading.get(key)
      if (known) return (await known) as Value
      const value = load().finally(() => loading.delete(key))
      loading.set(key, value)
      write(key, await value)
      return value
    },
  }
}

/** Metrics that go nowhere. */
export const fakeMetrics: Metrics = Object.freeze({ count() {}, gauge() {}, observe() {} })
