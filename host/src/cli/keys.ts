import { randomBytes } from 'node:crypto'
import { dirname, resolve } from 'node:path'
import { Command, InvalidArgumentError } from 'commander'
import { formats } from '../data/schema/formats.ts'
import { KEY_ID, makeKey, type KeyRecord } from '../auth/inbound/keys/api-key.ts'
import { changeKeyFile, readKeyFile, type StoredKey } from '../auth/inbound/keys/key-file.ts'
import type { ResolvedConfig } from '../config/schema/schema.ts'
import { hostError } from '../errors.ts'
import { quietLog, readSettings } from '../from-file.ts'
import { createRedactor } from '../observability/redact.ts'
import { EXIT, type CommonOptions, type Run } from './terminal/exit.ts'
import { printJson, printLines, table } from './terminal/print.ts'

/** `patchbay keys create|list|revoke`: the API keys that open the host over HTTP. */
export function keysCommand(run: Run): Command {
  return new Command('keys')
    .description('API keys that callers of this host present')
    .addCommand(createCommand(run))
    .addCommand(listCommand(run))
    .addCommand(revokeCommand(run))
}

interface CreateOptions extends CommonOptions {
  readonly id?: string
  readonly scopes?: readonly string[]
  readonly tenant?: string
  readonly expires?: Date
  readonly json?: boolean
}

function createCommand(run: Run): Command {
  return new Command('create')
    .description('makes a key, shows it this once, and keeps its hash')
    .option('--id <name>', 'what logs call it; default: eight random characters', keyName)
    .option('--scopes <list>', 'what it grants, separated by commas; see auth.permissions', list)
    .option('--tenant <name>', 'whose data it opens')
    .option('--expires <when>', '90d, 12h, or a date such as 2027-01-31; default: never', instant)
    .option('--json', 'as JSON')
    .action((options: CreateOptions) =>
      run(async () => {
        const { config, file } = await keysOf(options)
        const { id = randomBytes(4).toString('hex'), scopes = [], tenant, expires } = options
        const { key, hash } = makeKey(id)
        const record: StoredKey = {
          id,
          hash,
          scopes: [...scopes],
          ...(tenant === undefined ? {} : { tenant }),
          createdAt: new Date().toISOString(),
          ...(expires ? { notAfter: expires.toISOString() } : {}),
        }
        await changeKeyFile(file, (keys) => {
          if ([...keys, ...config.auth.inbound.keys].some((other) => other.id === id)) throw hostError('AUTH_KEY_TAKEN', { id })
          return [...keys, record]
        })
        if (options.json) printJson({ key, ...record, file })
        else printLines(createdLines(key, record, file))
        for (const warning of warningsOf(record, config)) process.stderr.write(`${warning}\n`)
        return EXIT.done
      }),
    )
}

function listCommand(run: Run): Command {
  return new Command('list')
    .description('what keys there are, without the keys')
    .option('--json', 'as JSON')
    .action((options: CommonOptions & { json?: boolean }) =>
      run(async () => {
        const { config, file } = await keysOf(options)
        const rows = [
          ...config.auth.inbound.keys.map((key) => ({ ...shown(key), source: 'config' })),
          ...(await readKeyFile(file)).map((key) => ({ ...shown(key), source: file })),
        ]
        if (options.json) printJson({ keys: rows })
        else if (rows.length === 0) printLines(['There are no API keys; make one with npx mcp-patchbay keys create'])
        else
          printLines(
            table(
              ['ID', 'STATE', 'TENANT', 'SCOPES', 'EXPIRES'],
              rows.map(({ id, state, tenant, scopes, notAfter }) => [
                id,
                state,
                tenant ?? '',
                scopes.join(','),
                notAfter ?? 'never',
              ]),
            ),
          )
        return EXIT.done
      }),
    )
}

function revokeCommand(run: Run): Command {
  return new Command('revoke')
    .description('ends a key, for running hosts as well')
    .argument('<id>', 'of the key')
    .option('--json', 'as JSON')
    .action((id: string, options: CommonOptions & { json?: boolean }) =>
      run(async () => {
        const { file } = await keysOf(options)
        const revokedAt = new Date().toISOString()
        await changeKeyFile(file, (keys) => {
          if (!keys.some((key) => key.id === id && key.revokedAt === undefined)) throw hostError('AUTH_KEY_UNKNOWN', { id, file })
          return keys.map((key) => (key.id === id ? { ...key, revokedAt } : key))
        })
        if (options.json) printJson({ id, revokedAt, file })
        else printLines([`Revoked ${id}: running hosts refuse it within a second or two`])
        return EXIT.done
      }),
    )
}

async function keysOf(options: CommonOptions): Promise<{ readonly config: ResolvedConfig; readonly file: string }> {
  const { config, file } = await readSettings(options, quietLog(createRedactor()))
  return { config, file: resolve(dirname(file), config.auth.inbound.keysFile) }
}

function createdLines(key: string, { id, scopes, tenant, notAfter }: StoredKey, file: string): readonly string[] {
  return [
    `Key "${id}"${tenant === undefined ? '' : ` of tenant "${tenant}"`}, which grants ${scopes.join(', ') || 'no scope'} and ${notAfter === undefined ? 'never expires' : `expires on ${notAfter}`}:`,
    '',
    `  ${key}`,
    '',
    `It is shown only now: ${file} holds its hash. Clients send it as`,
    'Authorization: Bearer <key>, or as X-API-Key: <key>.',
  ]
}

/** What would let the key in and show it nothing, or not let it in at all. */
function warningsOf({ scopes, tenant }: StoredKey, { auth, tenants }: ResolvedConfig): readonly string[] {
  const names = Object.keys(tenants)
  const { mode } = auth.inbound
  return [
    ...(mode === 'apiKey' || mode === 'any'
      ? []
      : [`auth.inbound.mode is "${mode}", which takes no API keys: set "apiKey" or "any"`]),
    ...(names.length > 0 && (tenant === undefined || !names.includes(tenant))
      ? [`The config has the tenants ${names.join(', ')}, and the key is of none of them: it will see no tool`]
      : []),
    ...(Object.keys(auth.permissions).length > 0 && scopes.length === 0
      ? ['auth.permissions says which scopes grant tools, and the key has none: it will see no tool']
      : []),
  ]
}

function shown({ id, scopes, tenant, notAfter, createdAt, revokedAt }: KeyRecord & { createdAt?: string; revokedAt?: string }) {
  const isExpired = notAfter !== undefined && Date.parse(notAfter) <= Date.now()
  const state = revokedAt !== undefined ? 'revoked' : isExpired ? 'expired' : 'active'
  return { id, state, tenant, scopes, createdAt, notAfter, revokedAt }
}

function keyName(text: string): string {
  if (!KEY_ID.test(text)) throw new InvalidArgumentError('It has at most 40 characters of a to z, 0 to 9 and -.')
  return text
}

function list(text: string): readonly string[] {
  return text
    .split(',')
    .map((item) => item.trim())
    .filter(Boolean)
}

function instant(text: string): Date {
  const [, count, unit] = /^(\d{1,6})([hd])$/.exec(text) ?? []
  const at = unit === undefined ? new Date(text) : new Date(Date.now() + Number(count) * (unit === 'h' ? 3_600_000 : 86_400_000))
  const isDate = unit !== undefined || formats().fits('date', text) || formats().fits('date-time', text)
  if (!isDate || Number.isNaN(at.getTime()))
    throw new InvalidArgumentError('Give days or hours such as 90d or 12h, or a date such as 2027-01-31.')
  if (at.getTime() <= Date.now()) throw new InvalidArgumentError('That is over already.')
  return at
}
