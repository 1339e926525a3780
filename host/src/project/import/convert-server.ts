import { isSafeUrl } from '../../config/schema/secure-url.ts'
import type { EntryConfig } from '../../config/schema/schema.ts'
import { isObject } from '../../data/json.ts'
import type { ClientServer } from './client-config.ts'
import { convertArguments } from './convert-arguments.ts'
import { convertEnvironment, type FoundSecret } from './convert-environment.ts'
import { packageCommand } from './package-command.ts'
import type { PlaceholderValues } from './placeholders.ts'

/** What a server of a client's config becomes. */
export type ConvertedServer =
  | {
      readonly kind: 'entry'
      /** For one from npm without its version, which is decided when it is installed. */
      readonly entry: EntryConfig & { readonly as: string }
      readonly release: { readonly name: string; readonly range: string } | undefined
      readonly secrets: readonly FoundSecret[]
      /** What differs from what the client did, in words for a person. */
      readonly notes: readonly string[]
    }
  | { readonly kind: 'skipped'; readonly reason: string; readonly isDisabled?: boolean }

/** Makes an entry of one server. Nothing secret is in it, nor in a note or reason. */
export function convertServer(server: ClientServer, as: string, values: PlaceholderValues): ConvertedServer {
  const { command, disabled } = server
  const url = [server['url'], server['serverUrl'], server['httpUrl']].find((value) => typeof value === 'string')
  if (disabled === true || server['enabled'] === false) return { ...skipped('it is disabled there'), isDisabled: true }
  if (typeof command === 'string') return commandServer({ ...server, command }, as, values)
  if (url !== undefined) return remoteServer(server, { as, url, headers: headersOf(server['headers']) }, values)
  return skipped('it has neither a command nor a url')
}

function commandServer(server: ClientServer & { command: string }, as: string, values: PlaceholderValues): ConvertedServer {
  const written = strings(server['args'])
  const launched = packageCommand(server.command, written)
  const bridge = launched?.name === 'mcp-remote' ? bridgedAddress(launched.args) : undefined
  if (bridge) return remoteServer(server, { as, ...bridge }, values)
  const environment = convertEnvironment(as, server['env'], values)
  const given = launched ? launched.args : written
  const { args, secrets } = convertArguments(as, given, { values, taken: Object.keys(environment.env) })
  const env = { ...environment.env, ...Object.fromEntries(secrets.map(({ name }) => [name, { secret: true as const }])) }
  const rest = { ...(args.length > 0 && { args }), ...(Object.keys(env).length > 0 && { env }) }
  const found = [...environment.secrets, ...secrets]
  const notes = [...environment.notes, ...leftOutNotes(server, [...LAUNCHED, 'command', 'args', 'env'])]
  if (launched) {
    const { name, range } = launched
    return { kind: 'entry', entry: { use: `mcp:npm:${name}`, as, ...rest }, release: { name, range }, secrets: found, notes }
  }
  const unconfined = `it runs unconfined: ${server.command} is not a package of npm that the host could pin`
  const entry = { use: 'mcp:exec', as, command: [server.command], ...rest }
  return { kind: 'entry', entry, release: undefined, secrets: found, notes: [unconfined, ...notes] }
}

interface RemoteAddress {
  readonly as: string
  readonly url: string
  readonly headers: Readonly<Record<string, string>>
}

function remoteServer(server: ClientServer, { as, url, headers }: RemoteAddress, values: PlaceholderValues): ConvertedServer {
  const address = URL.parse(url)
  if (!address) return skipped('its url cannot be read, or holds what only the client knows')
  if (address.username !== '' || address.password !== '') return skipped('its url holds a password: give the address without it')
  if (!isSafeUrl(url)) return skipped(`its url begins with ${address.protocol}//, which the host speaks on this machine only`)
  const secretParameter = [...address.searchParams.keys()].find((name) => /key|token|secret/i.test(name))
  if (secretParameter !== undefined) return skipped(`its url holds a secret (${secretParameter}), and a config must not`)
  const { secrets, notes } = convertHeaders(as, headers, values)
  return {
    kind: 'entry',
    entry: { use: `mcp:${url}`, as },
    release: undefined,
    secrets,
    notes: [...notes, ...leftOutNotes(server, [...LAUNCHED, 'url', 'serverUrl', 'httpUrl', 'headers', 'command', 'args'])],
  }
}

/** The credential of a remote server is the instance's own; any other header has no place in an entry. */
function convertHeaders(as: string, headers: Readonly<Record<string, string>>, values: PlaceholderValues) {
  const secrets: FoundSecret[] = []
  const notes: string[] = []
  for (const [name, written] of Object.entries(headers)) {
    const [, token] = /^bearer\s+(.+)$/i.exec(written) ?? []
    if (name.toLowerCase() !== 'authorization' || token === undefined) {
      notes.push(`the header ${name} is left out: a remote server is sent its own credential only`)
      continue
    }
    const { env, secrets: found } = convertEnvironment(as, { PERSONAL_TOKEN: token }, values)
    if (Object.keys(env).length > 0) secrets.push(...found)
  }
  return { secrets, notes }
}

/** What `mcp-remote URL --header NAME:VALUE` connects to. */
function bridgedAddress(args: readonly string[]): Omit<RemoteAddress, 'as'> | undefined {
  const url = args.find((arg) => /^https?:\/\//.test(arg))
  if (url === undefined) return undefined
  const lines = args.flatMap((arg, index) => (arg === '--header' ? (args[index + 1] ?? []) : []))
  const headers = lines.flatMap((line) => {
    const [, name, value] = /^([^:\s]+)\s*:\s*(.*)$/.exec(line) ?? []
    return name === undefined || value === undefined ? [] : [[name, value] as const]
  })
  return { url, headers: Object.fromEntries(headers) }
}

/** Keys that mean nothing here, or the same. */
const LAUNCHED = ['type', 'transport', 'name', 'description', 'disabled', 'enabled', 'gallery', 'version', 'timeout']

const WHY: Readonly<Record<string, string>> = {
  cwd: 'the server runs in the folder of the config',
  envFile: 'put what it holds into .env beside the config, under the names that npx mcp-patchbay env prints',
  autoApprove: 'the host asks for a yes where tools.approval says so',
  alwaysAllow: 'the host asks for a yes where tools.approval says so',
}

function leftOutNotes(server: ClientServer, known: readonly string[]): readonly string[] {
  return Object.keys(server)
    .filter((key) => !known.includes(key))
    .map((key) => `${key} is left out${Object.hasOwn(WHY, key) ? `: ${WHY[key]}` : ''}`)
}

function headersOf(headers: unknown): Readonly<Record<string, string>> {
  if (!isObject(headers)) return {}
  return Object.fromEntries(
    Object.entries(headers).flatMap(([name, value]) => (typeof value === 'string' ? [[name, value]] : [])),
  )
}

function strings(value: unknown): readonly string[] {
  return Array.isArray(value) ? value.map(String) : []
}

function skipped(reason: string) {
  return { kind: 'skipped', reason } as const
}
